"""What a sandbox shows: the system, toolchains, the tree. What is not listed is not there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from locus.local.sandbox import home, mounts
from locus.local.sandbox.mounts import Kind, Mount
from locus.local.sandbox.policy import Policy

SYSTEM = ("/usr", "/etc", "/opt", "/nix", "/gnu", "/snap", "/home/linuxbrew", "/sys/devices/system")
# Folders of the root, which today are mostly links into /usr.
ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Parts of /var and /run without which names or certificates are not found.
PARTS = ("/var/lib/ca-certificates", "/run/current-system", "/run/systemd/resolve/stub-resolv.conf")
# What of /proc would act on the machine, or tell of it: the kernel does not separate these by namespace, and to a
# sandbox that root started the files belong.
PROC_FIXED = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi")
PROC_EMPTY = ("/proc/keys", "/proc/key-users", "/proc/kcore", "/proc/timer_list", "/proc/sched_debug")

# Variables that name a folder or file of a toolchain, or certificates.
SHOWN_BY_NAME = (
    *("ASDF_DATA_DIR", "ASDF_DIR", "BUN_INSTALL", "GOROOT", "JAVA_HOME", "MISE_DATA_DIR", "NVM_DIR", "PYENV_ROOT"),
    *("RBENV_ROOT", "RUSTUP_HOME", "SDKMAN_DIR", "VOLTA_HOME", "ANDROID_HOME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
PROGRAM_FOLDERS = ("bin", "sbin", ".bin", "shims", "libexec")


class Ground(Struct, frozen=True, kw_only=True):
    """The place of one worker.

    `tree` is where agents work, or only look when it is `fixed`; `read` shows where it is, `instead` shows a file of
    ours at another place. `private` is a folder of ours for what lasts from one command to the next. `hidden` never
    shows, unless the user names it.
    """

    tree: Path
    private: Path
    read: tuple[Path, ...] = ()
    instead: tuple[tuple[Path, Path], ...] = ()
    hidden: tuple[Path, ...] = ()
    fixed: bool = False


def view(
    policy: Policy,
    ground: Ground,
    environ: Mapping[str, str],
    *,
    scratch: Path,
    shown: Iterable[Path] = (),
    extra: Iterable[Mount] = (),
) -> list[Mount]:
    """All that a sandbox shows, outer mounts first.

    `scratch` becomes its /tmp; `shown` and `extra` are what the command needs beside the rest.
    """
    person = Path(environ.get("HOME", "/"))
    secrets = [person / name for name in home.SECRETS]
    kept_away = (*ground.hidden, *secrets)
    programs = list(_programs(environ, person, (person, *kept_away)))
    made = [
        *_system(),
        mounts.write(Path("/tmp"), scratch),  # noqa: S108 - a folder of this command's own
        mounts.link(Path("/var/tmp"), Path("/tmp")),  # noqa: S108
        *_home(person, programs),
        *(mounts.hidden(path) for path in kept_away),
        *(mounts.read(path) for path in (*programs, *_ourselves(), *shown, *policy.read) if path.exists()),
        *(mounts.write(path) for path in policy.write if path.exists()),
        mounts.read(ground.tree) if ground.fixed else mounts.write(ground.tree),
        *(mounts.read(path) for path in ground.read),
        *(mounts.read(place, source) for place, source in ground.instead),
        *extra,
    ]
    return mounts.effective([*_caches(person, environ, ground.private, made), *made])


def _system() -> Iterator[Mount]:
    for name in SYSTEM:
        if Path(name).exists():
            yield mounts.read(Path(name))
    for name in ROOT_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            yield mounts.link(path, path.readlink())
        elif path.is_dir():
            yield mounts.read(path)
    for name in PARTS:
        if Path(name).exists():
            yield mounts.read(Path(name))
    names = Path("/etc/resolv.conf").resolve()
    if names.exists() and not names.is_relative_to("/etc"):
        yield mounts.read(names)
    for path in _for_few_eyes():
        yield mounts.hidden(path)
    yield Mount(Kind.PROC, Path("/proc"))
    for name in PROC_FIXED:
        if Path(name).exists():
            yield mounts.read(Path(name))
    for name in PROC_EMPTY:
        if Path(name).exists():
            yield mounts.read(Path(name), Path("/dev/null"))
    yield Mount(Kind.DEV, Path("/dev"))


@cache
def _for_few_eyes() -> tuple[Path, ...]:
    """What of /etc not everybody may read: in a sandbox that root started, permissions would not keep it away."""
    found: list[Path] = []
    waiting = [Path("/etc")]
    while waiting:
        for entry in _entries(waiting.pop()):
            mode = entry.stat(follow_symlinks=False).st_mode
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if mode & stat.S_IROTH and mode & stat.S_IXOTH:
                    waiting.append(Path(entry.path))
                else:
                    found.append(Path(entry.path))
            elif not mode & stat.S_IROTH:
                found.append(Path(entry.path))
    return tuple(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # what we may not list, the sandbox may not either
        return []


def _home(person: Path, programs: Iterable[Path]) -> Iterator[Mount]:
    """An empty home with the toolchains that are there."""
    if person == Path("/"):
        return
    yield mounts.fresh(person)
    for name in home.TOOLCHAINS:
        if (person / name).exists():
            yield mounts.read(person / name)


def _caches(person: Path, environ: Mapping[str, str], private: Path, others: Iterable[Mount]) -> Iterator[Mount]:
    """Folders for what tools download, which last, and which no sandbox but those of this place has."""
    moved = {".cargo": environ.get("CARGO_HOME"), "go": environ.get("GOPATH", "").split(":")[0]}
    around = _around(mount.place for mount in others if mount.kind is not Kind.HIDDEN)
    kept = private / "caches"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    yield mounts.write(kept)
    for name in home.CACHES:
        first, _, rest = name.partition("/")
        place = Path(moved.get(first) or person / first, rest)
        if place in around:
            # What an agent may rename must not be the way to a mount of ours.
            yield mounts.fresh(place)
            continue
        folder = kept / name.replace("/", "-").lstrip(".")
        if folder.is_symlink() or not folder.is_dir():
            # Agents can write here: a link of theirs is taken away, and never followed.
            folder.unlink(missing_ok=True)
            folder.mkdir(mode=0o700)
        yield mounts.link(place, folder)


def _programs(environ: Mapping[str, str], person: Path, secrets: Iterable[Path]) -> Iterator[Path]:
    """The folders of PATH, with the libraries that belong to them, and what variables name."""
    revealing = _around(secrets)
    for text in environ.get("PATH", "").split(":"):
        path = Path(text)
        if not path.is_absolute() or not path.is_dir():
            continue
        for candidate in (path.parent, path) if _has_libraries(path, person) else (path,):
            if candidate not in revealing:
                yield candidate
                break
    for name in SHOWN_BY_NAME:
        path = Path(environ.get(name, ""))
        if path.is_absolute() and path.exists() and path not in revealing:
            yield path


def _has_libraries(path: Path, person: Path) -> bool:
    """Whether a folder of programs is one part of an installation, such as a virtual environment."""
    whole = path.parent
    if path.name not in PROGRAM_FOLDERS or whole in (person, Path("/")) or whole.parent in (Path("/"), Path("/home")):
        return False
    return whole.name == "node_modules" or any((whole / name).exists() for name in ("lib", "pyvenv.cfg", "versions"))


def _ourselves() -> tuple[Path, ...]:
    """The Python that runs Locus: checks that call it by its path, and our own bridge, need it."""
    return tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent)))


def _around(paths: Iterable[Path]) -> frozenset[Path]:
    """These paths and every folder around one of them: who shows one of those shows one of these."""
    return frozenset(one for path in paths for one in (path, *path.parents))
