"""Where the files of one embedded cluster live, and the locks that keep its users apart.

data/lock       held while somebody starts or stops the cluster
data/users      held, shared, by every process that uses it; whoever can hold it alone is the last
data/place      only when root's account cannot enter `data`: the directory that has the rest
data/detached   the cluster is to run until somebody stops it
…/cluster       PostgreSQL's own directory
…/run           the socket, unless its path would be too long
…/postgres.log  what the server says
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from locus.server.db import account as accounts
from locus.server.db.account import Account
from locus.server.db.errors import DatabaseUnavailable

PORT = 5432  # only a part of the socket's name
SOCKET = f".s.PGSQL.{PORT}"
LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107  # bytes of sun_path without its end
ROOTS_PLACE = Path("/var/lib/locus")
ELSEWHERE = "locus-postgres-"  # how the name of a directory begins that stands in for one the account cannot enter
POLL = 0.01  # seconds between two looks at a lock or a process


@dataclass(frozen=True)
class Home:
    """One cluster: `data` is the directory its owner named, `root` has the files, `account` runs it (None: we do)."""

    data: Path
    root: Path
    account: Account | None

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def detached(self) -> Path:
        return self.data / "detached"

    @property
    def sockets(self) -> Path:
        """The directory of the socket; it depends on the path of the files alone, so all processes agree on it."""
        inside = self.root / "run"
        if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET:
            return inside
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        if self.account:
            return Path("/run" if Path("/run").is_dir() else "/var/run", "locus", name)
        return Path("/tmp", f"locus-{os.geteuid()}-{name}")  # noqa: S108  # checked by make_sockets before use

    def make_sockets(self) -> Path:
        """Make the socket's directory, private to the account.

        Raises:
            DatabaseUnavailable: somebody else has made it.
        """
        folder = self.sockets
        if not folder.parent.exists():
            folder.parent.mkdir()
            folder.parent.chmod(0o755)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            accounts.give(folder, self.account)
        found = folder.lstat()
        owner = self.account.uid if self.account else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
            raise DatabaseUnavailable(
                f"{folder} should be a private directory for the database's socket, but is not.",
                remedy="Remove it and start again.",
            )
        return folder

    def delete(self) -> None:
        """Delete the files. Nothing may be running."""
        if not self.sockets.is_relative_to(self.root):
            shutil.rmtree(self.sockets, ignore_errors=True)
        for directory in {self.root, self.data}:
            shutil.rmtree(directory)


def locate(data: Path) -> Home:
    """Where the cluster of `data` lives; makes `data` when it does not exist, and changes no directory that does.

    As root, an account that cannot enter `data` gets a directory elsewhere, and `data/place` remembers it: in the
    machine's temporary directory for temporary data, else below /var/lib/locus.

    Raises:
        OSError: `data` cannot be made or entered.
        DatabaseUnavailable: root has no account to run PostgreSQL as.
    """
    data = data.expanduser().resolve()
    place = data / "place"
    if place.exists():
        root = Path(place.read_text(encoding="utf-8").strip())
        if not root.is_dir():
            raise DatabaseUnavailable(
                f"The database of {data} should be in {root}, which is not there.",
                remedy=f"Put it back, or remove {place} to begin with an empty database.",
            )
        return Home(data, root, accounts.choose(root / "cluster"))
    account = accounts.choose(data / "cluster")
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711 if account else 0o700)
    if account is None or accounts.may_enter(data, account):
        return Home(data, data, account)
    root = _place_for(data)
    place.write_text(f"{root}\n", encoding="utf-8")
    return Home(data, root, account)


def _place_for(data: Path) -> Path:
    temporary = {Path(place).resolve() for place in (tempfile.gettempdir(), "/tmp", "/var/tmp")}  # noqa: S108
    around = [place for place in temporary if data.is_relative_to(place)]
    if around:
        base = around[0]
        _sweep(base)
    else:
        base = ROOTS_PLACE
        if not base.exists():
            base.mkdir(parents=True)
            base.chmod(0o755)
    root = Path(tempfile.mkdtemp(prefix=ELSEWHERE, dir=base))
    (root / "origin").write_text(f"{data}\n", encoding="utf-8")
    root.chmod(0o711)
    return root


def _sweep(temporary: Path) -> None:
    """Delete what belonged to temporary data that is gone. A server that still runs there sees it and ends itself."""
    for root in temporary.glob(f"{ELSEWHERE}*"):
        origin = root / "origin"
        with suppress(FileNotFoundError):  # another server that starts just now was faster
            if root.lstat().st_uid == os.geteuid() and origin.is_file():
                data = Path(origin.read_text(encoding="utf-8").strip())
                if not data.exists():
                    shutil.rmtree(root, ignore_errors=True)


class Lock:
    """A lock on a file, held by this object alone, and gone with the process however it ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def try_alone(self) -> bool:
        """Hold it alone if nobody else holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def with_others(self) -> None:
        """Hold it beside others who do the same; waits while somebody holds it alone."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        self._file.close()

    @property
    def released(self) -> bool:
        return self._file.closed


async def becomes_true(fact: Callable[[], bool], *, limit: float) -> bool:
    """Look until something outside of this process is true, for at most `limit` seconds."""
    end = asyncio.get_running_loop().time() + limit
    while not fact():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(POLL)
    return True


@asynccontextmanager
async def alone(data: Path, *, limit: float) -> AsyncIterator[None]:
    """Be the only one who starts or stops the cluster of `data`; wait at most `limit` seconds for the others.

    Raises:
        DatabaseUnavailable: another process was at it for all that time.
    """
    lock = Lock(data / "lock")
    try:
        if not await becomes_true(lock.try_alone, limit=limit):
            raise DatabaseUnavailable(
                f"Another process has been starting or stopping the database in {data} for {limit:.0f} seconds.",
                remedy="Look at what it does, end it, and start again.",
            )
        yield
    finally:
        lock.release()
