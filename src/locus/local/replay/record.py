"""Recording: a provider around another one, which notes what its agents print and leave, and when."""

import os
import signal
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from locus.local.errors import LocalError
from locus.local.process import Exit
from locus.local.providers.base import Ask, Finished, Heard, Provider, Reader
from locus.local.replay.recording import VERSION, Heading, Left, Take
from locus.local.replay.redaction import Redaction
from locus.local.sandbox import Needs
from locus.version import VERSION as LOCUS_VERSION

LARGEST = 1 << 20  # bytes of a file that is kept
# Not looked into: git's own, and what tools install and compile.
PASSED_OVER = frozenset({".git", "node_modules", ".venv", "__pycache__", "target", ".tox", ".mypy_cache"})

Keep = Callable[[Take], None]


class Recorder:
    """Does everything that `provider` does, and keeps each run of its agents in `path`.

    Raises LocalError when the file cannot be written, or is there already.
    """

    def __init__(self, provider: Provider, path: Path) -> None:
        self._provider = provider
        self._path = path
        heading = Heading(locus_recording=VERSION, provider=provider.NAME, locus_version=LOCUS_VERSION)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(heading) + b"\n")
        except FileExistsError as e:
            raise LocalError(f"{path} is there already.", remedy="Name another file, or remove it.") from e
        except OSError as e:
            raise LocalError(f"{path} cannot be written: {e.strerror}.", remedy="Name another file.") from e
        self.NAME = provider.NAME
        self.MODELS_HINT = provider.MODELS_HINT
        self.FIRST_SIGNAL: signal.Signals = provider.FIRST_SIGNAL
        self.VERSION = provider.VERSION
        self.SIGNED_IN = provider.SIGNED_IN
        self.COUNTS = provider.COUNTS
        self.ASKS = provider.ASKS

    def locate(self, environment: Mapping[str, str]) -> Path:
        return self._provider.locate(environment)

    def command(self, ask: Ask, binary: Path) -> list[str]:
        return self._provider.command(ask, binary)

    def opening(self, ask: Ask) -> bytes:
        return self._provider.opening(ask)

    def environment(self, ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
        return self._provider.environment(ask, inherited)

    def needs(self, environment: Mapping[str, str]) -> Needs:
        return self._provider.needs(environment)

    def reader(self, ask: Ask, environment: Mapping[str, str]) -> Reader:
        places = {str(ask.cwd): "{tree}", environment.get("TMPDIR", ""): "{tmp}", environment.get("HOME", ""): "~"}
        redaction = Redaction({**os.environ, **environment}, places)
        return _Reader(self._provider.reader(ask, environment), ask.cwd, redaction, self._keep)

    def _keep(self, take: Take) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(take) + b"\n")


class _Reader:
    def __init__(self, reader: Reader, tree: Path, redaction: Redaction, keep: Keep) -> None:
        self._reader = reader
        self._tree = tree
        self._redaction = redaction
        self._keep = keep
        self._before = dict(_look(tree))
        self._began = time.monotonic()
        self._lines: list[tuple[float, str]] = []

    def read(self, line: bytes) -> Sequence[Heard]:
        said = self._redaction.line(line.decode("utf-8", "replace"))
        self._lines.append((round(time.monotonic() - self._began, 3), said))
        return self._reader.read(line)

    def finish(self, exit: Exit, stderr_tail: str) -> Finished:
        self._keep(
            Take(
                lines=self._lines,
                seconds=round(time.monotonic() - self._began, 3),
                code=exit.code,
                signal=exit.signal,
                stderr=self._redaction.line(stderr_tail),
                left=list(self._left()),
            )
        )
        return self._reader.finish(exit, stderr_tail)

    def _left(self) -> Iterator[Left]:
        """What is otherwise in the tree than it was before this run."""
        now = dict(_look(self._tree))
        for path in sorted(self._before.keys() - now.keys()):
            yield Left(path=path)
        for path in sorted(path for path, seen in now.items() if self._before.get(path) != seen):
            mode, size, _ = now[path]
            if stat.S_ISLNK(mode):
                yield Left.of(path, mode="120000", content=os.fsencode((self._tree / path).readlink()))
            elif size <= LARGEST:
                content = self._clean((self._tree / path).read_bytes())
                yield Left.of(path, mode="100755" if mode & stat.S_IXUSR else "100644", content=content)

    def _clean(self, content: bytes) -> bytes:
        try:
            return self._redaction.content(content.decode("utf-8")).encode()
        except UnicodeDecodeError:
            return content


def _look(tree: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for folder, folders, names in os.walk(tree):
        folders[:] = [name for name in folders if name not in PASSED_OVER]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*names, *links):
            path = Path(folder, name)
            try:
                status = path.lstat()
            except OSError:
                continue  # it went while we looked
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                yield path.relative_to(tree).as_posix(), (status.st_mode, status.st_size, status.st_mtime_ns)
