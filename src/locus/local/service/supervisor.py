"""The user's own supervisor, systemd or launchd: installs, asks and removes. Never with more rights than the user's."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from locus.local import files, process
from locus.local.errors import LocalError
from locus.local.process import Completed
from locus.local.service.units import Service, label, launchd_plist, systemd_unit

TIMEOUT = 120.0  # seconds; stopping waits for the service
LINES = 200  # of a log


class State(Struct, frozen=True):
    """A service that is installed. `state` is the supervisor's own word, such as active or failed."""

    name: str
    state: str
    file: str


class Supervisor(ABC):
    """What both can do. `environ` is the user's environment, `home` their home directory."""

    program: str
    pattern: str

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        self.environ = environ
        self.home = home

    @property
    @abstractmethod
    def directory(self) -> Path: ...

    @abstractmethod
    def file(self, name: str) -> Path: ...

    @abstractmethod
    def text(self, one: Service) -> str: ...

    @abstractmethod
    async def start(self, one: Service) -> None: ...

    @abstractmethod
    async def stop(self, name: str) -> None: ...

    @abstractmethod
    async def state(self, name: str) -> str: ...

    @abstractmethod
    async def log(self, name: str, lines: int) -> str: ...

    @abstractmethod
    def name_of(self, file: Path) -> str: ...

    def check(self) -> None:
        """Raise LocalError when there is no such supervisor here."""
        if shutil.which(self.program, path=self.environ.get("PATH")) is None:
            raise LocalError(
                f"{self.program} is not on this machine.",
                remedy="See what it would do, for a supervisor of your own: locus service install PART --print",
            )

    async def install(self, one: Service) -> Path:
        """Write the service's file and start it, now and at every login. Raises LocalError."""
        self.check()
        path = self.file(one.name)
        files.write(path, self.text(one))
        one.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.start(one)
        return path

    async def installed(self) -> list[State]:
        """The services that were installed, with their states."""
        found = sorted(self.directory.glob(self.pattern))
        names = [(self.name_of(file), file) for file in found]
        return [State(name, await self.state(name), str(file)) for name, file in names]

    async def remove(self, name: str) -> None:
        """Stop a service and forget it. Raises LocalError when there is none."""
        path = self.file(name)
        if not path.exists():
            raise LocalError(f"There is no service {name}.", remedy="See them: locus service status")
        await self.stop(name)
        path.unlink(missing_ok=True)

    async def run(self, *arguments: str, accept: bool = False, program: str | None = None) -> Completed:
        """Run the supervisor's program. Raises LocalError with its words when it fails, unless `accept`."""
        environment = {name: value for name, value in self.environ.items() if not name.endswith(("_KEY", "_TOKEN"))}
        argv = [program or self.program, *arguments]
        done = await process.run(argv, cwd=self.home, env=environment, timeout=TIMEOUT)
        if not done.ok and not accept:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise LocalError(f"{' '.join(argv[:3])} failed: {said or done.exit}")
        return done


class Systemd(Supervisor):
    program = "systemctl"
    pattern = "locus-*.service"

    @property
    def directory(self) -> Path:
        return Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config") / "systemd" / "user"

    def file(self, name: str) -> Path:
        return self.directory / f"{name}.service"

    def name_of(self, file: Path) -> str:
        return file.stem

    def text(self, one: Service) -> str:
        return systemd_unit(one)

    async def start(self, one: Service) -> None:
        await self.run("--user", "daemon-reload")
        await self.run("--user", "enable", f"{one.name}.service")
        await self.run("--user", "restart", f"{one.name}.service")

    async def stop(self, name: str) -> None:
        await self.run("--user", "disable", "--now", f"{name}.service", accept=True)

    async def remove(self, name: str) -> None:
        await super().remove(name)
        await self.run("--user", "daemon-reload", accept=True)

    async def state(self, name: str) -> str:
        done = await self.run("--user", "is-active", f"{name}.service", accept=True)
        return done.stdout.decode("utf-8", "replace").strip() or "unknown"

    async def log(self, name: str, lines: int) -> str:
        arguments = ["--user", f"--unit={name}.service", f"--lines={lines:d}", "--no-pager", "--output=short-iso"]
        return (await self.run(*arguments, program="journalctl")).stdout.decode("utf-8", "replace")


class Launchd(Supervisor):
    program = "launchctl"
    pattern = "dev.locus.*.plist"

    @property
    def directory(self) -> Path:
        return self.home / "Library" / "LaunchAgents"

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    def file(self, name: str) -> Path:
        return self.directory / f"{label(name)}.plist"

    def name_of(self, file: Path) -> str:
        return f"locus-{file.stem.removeprefix('dev.locus.')}"

    def text(self, one: Service) -> str:
        return launchd_plist(one)

    async def start(self, one: Service) -> None:
        await self.run("bootout", f"{self._domain}/{label(one.name)}", accept=True)
        await self.run("bootstrap", self._domain, str(self.file(one.name)))

    async def stop(self, name: str) -> None:
        await self.run("bootout", f"{self._domain}/{label(name)}", accept=True)

    async def state(self, name: str) -> str:
        done = await self.run("print", f"{self._domain}/{label(name)}", accept=True)
        said = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
        return next((line.removeprefix("state = ") for line in said if line.startswith("state = ")), "not loaded")

    async def log(self, name: str, lines: int) -> str:
        import plistlib

        path = Path(plistlib.loads(self.file(name).read_bytes())["StandardOutPath"])
        text = files.read(path) or ""
        return "\n".join(text.splitlines()[-lines:])


def here(environ: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> Supervisor:
    """This machine's supervisor."""
    home = Path(environ.get("HOME") or Path.home())
    return Launchd(environ, home) if platform == "darwin" else Systemd(environ, home)
