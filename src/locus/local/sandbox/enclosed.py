"""The sandbox of one worker: puts its walls around one command after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.process import Completed, Enclosure, run
from locus.local.sandbox import bridge, mounts, sockets, syscalls
from locus.local.sandbox.bubblewrap import WALLS, Bubblewrap, NoSandbox, find
from locus.local.sandbox.destinations import destinations
from locus.local.sandbox.mounts import Mount
from locus.local.sandbox.needs import Needs
from locus.local.sandbox.policy import Network, Policy
from locus.local.sandbox.proxy import Proxy
from locus.local.sandbox.view import Ground, view

TEMPORARY = Path("/tmp")  # noqa: S108 - of the sandbox, and of one command
SCRATCH = "\x01scratch"  # stands for the folder of one command among what holds for all
WAY_OUT = Path("/run/locus/proxy")
PORT = 3128  # in a network where nobody else listens
# Variables of the user's that name places which do not exist in a sandbox, or are not the same.
DROPPED = ("XDG_*", "UV_CACHE_DIR", "PIP_CACHE_DIR", "TMPDIR")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
NOT_PROXIED = ("no_proxy", "NO_PROXY")
OUR_COMPLAINT = "bwrap: "


class Inside(Struct, frozen=True):
    """A command that is ready to be started: what is around it, and the environment it has there."""

    enclosure: Enclosure
    env: dict[str, str]


class Sandbox:
    """What holds for every command of a worker; what shows in it is looked up once. Made by `opened`."""

    def __init__(
        self, bubblewrap: Bubblewrap, policy: Policy, ground: Ground, needs: Needs, environ: Mapping[str, str]
    ) -> None:
        self.policy = policy
        self.proxy: Proxy | None = None
        self._bubblewrap = bubblewrap
        self._ground = ground
        self._needs = needs
        self._environ = environ
        self._own = ground.private / "agent"  # the agent's folder: empty but for what is lent and kept

    def for_agent(self, env: Mapping[str, str]) -> dict[str, str]:
        """The agent's environment, with the place of its own folder, which is the same inside and outside."""
        if self._needs.home_variable is None:
            return dict(env)
        return {**env, self._needs.home_variable: str(self._own)}

    @contextmanager
    def around(self, *, cwd: Path, env: Mapping[str, str], scratch: Path, agent: bool = False) -> Iterator[Inside]:
        """Yield what has to be around one command, which must be started before the end of the block.

        `scratch` is an empty folder that becomes its /tmp. An `agent` also gets what its provider needs.
        """
        with ExitStack() as until_started:
            options = [*WALLS, *(self._shown_to_agents if agent else self._shown_to_commands)]
            options[options.index(SCRATCH)] = str(scratch)
            fds: list[int] = []
            for name, content in self._needs.written.items() if agent else ():
                fds.append(until_started.enter_context(_memory(content)))
                options += ["--file", str(fds[-1]), str(self._own / name)]
            starter = None
            if self.proxy is not None:
                options += ["--unshare-net", "--ro-bind", str(self.proxy.socket), str(WAY_OUT)]
            elif not self._bubblewrap.setuid:
                starter = sockets.starter()
            if (filtering := syscalls.program()) is not None:
                fds.append(until_started.enter_context(_memory(filtering)))
                options += ["--seccomp", str(fds[-1])]
            options += ["--remount-ro", "/", "--chdir", str(cwd)]
            # Not on the command line, which shows in the list of processes, here and in the sandbox.
            text = "\0".join([*options, ""]).encode(errors="surrogateescape")
            fds.append(until_started.enter_context(_memory(text)))
            prefix = [str(self._bubblewrap.binary), "--args", str(fds[-1]), "--"]
            if self.proxy is not None:
                prefix += [_python(), "-I", "-S", str(Path(bridge.__file__)), str(WAY_OUT), str(PORT)]
            yield Inside(Enclosure(tuple(prefix), tuple(fds), starter), self._environment(env))

    async def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, marker: str
    ) -> Completed:
        """Run a command inside, as `process.run` does. Raises NoSandbox when its walls cannot be put up."""
        with (
            TemporaryDirectory(prefix="locus-", ignore_cleanup_errors=True) as scratch,
            self.around(cwd=cwd, env=env, scratch=Path(scratch)) as inside,
        ):
            done = await run(argv, cwd=cwd, env=inside.env, timeout=timeout, marker=marker, enclosure=inside.enclosure)
        if (complaint := fault(done.exit.code, done.stderr.decode(errors="replace"))) is not None:
            raise NoSandbox(f"The sandbox could not be made: {complaint}", remedy="See what is amiss: locus doctor")
        return done

    @cached_property
    def _shown_to_commands(self) -> list[str]:
        shows = view(self.policy, self._ground, self._environ, scratch=Path(SCRATCH))
        return mounts.arguments(shows)

    @cached_property
    def _shown_to_agents(self) -> list[str]:
        shows = view(
            self.policy,
            self._ground,
            self._environ,
            scratch=Path(SCRATCH),
            shown=self._needs.read,
            extra=self._agents_own(),
        )
        return mounts.arguments(shows)

    def _agents_own(self) -> Iterator[Mount]:
        if self._needs.home_variable is None:
            return
        yield mounts.fresh(self._own)
        for loan in self._needs.loans:
            if loan.source.exists():
                lend = mounts.write if loan.writable else mounts.read
                yield lend(self._own / loan.name, loan.source)
        for name in self._needs.kept:
            (self._own / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            yield mounts.write(self._own / name)

    def _environment(self, env: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in env.items() if not any(fnmatchcase(name, one) for one in DROPPED)}
        kept["TMPDIR"] = str(TEMPORARY)
        if self.proxy is not None:
            for name in NOT_PROXIED:
                kept.pop(name, None)
            kept |= dict.fromkeys(PROXIES, f"http://127.0.0.1:{PORT}")
        return kept


async def run_in(
    sandbox: Sandbox | None, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, marker: str
) -> Completed:
    """Run a command to its end as `process.run` does, in the sandbox if there is one.

    Raises CannotStart, and NoSandbox.
    """
    if sandbox is None:
        return await run(argv, cwd=cwd, env=env, timeout=timeout, marker=marker)
    return await sandbox.run(argv, cwd=cwd, env=env, timeout=timeout, marker=marker)


@asynccontextmanager
async def opened(
    policy: Policy,
    ground: Ground,
    needs: Needs,
    environ: Mapping[str, str],
    *,
    tell: Callable[[str], None],
) -> AsyncIterator[Sandbox]:
    """A sandbox, and the way out of it, until the end of the block. `tell` hears what a person should know.

    Raises NoSandbox, and LocalError when the policy cannot be kept here.
    """
    ground.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    sandbox = Sandbox(find(environ), policy, ground, needs, environ)
    if policy.network is Network.OPEN:
        yield sandbox
        return
    if taken := next((name for name in PROXIES if environ.get(name)), None):
        raise LocalError(
            f"The network of the sandbox cannot be the provider's alone while {taken} names another proxy.",
            remedy="Unset it for this run, or let the network be open: locus run --network open",
        )
    proxy = Proxy(destinations(needs.service, policy.hosts), tell)
    await proxy.start()
    sandbox.proxy = proxy
    try:
        yield sandbox
    finally:
        await proxy.close()


def fault(code: int | None, stderr: str) -> str | None:
    """What bubblewrap complained about when it could not start a command; None when it could."""
    if code != 1 or not stderr.startswith(OUR_COMPLAINT):
        return None
    return stderr.splitlines()[0].removeprefix(OUR_COMPLAINT)


@contextmanager
def _memory(content: bytes) -> Iterator[int]:
    """A descriptor from which a child can read this."""
    fd = os.memfd_create("locus")
    try:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def _python() -> str:
    """The interpreter itself: the one of a virtual environment starts slower, and leads to it."""
    return str(Path(getattr(sys, "_base_executable", None) or sys.executable))
