"""The file system of a sandbox as a list of mounts, and the arguments that make it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path

from msgspec import Struct


class Kind(Enum):
    READ = auto()  # shows `source`, read-only
    WRITE = auto()  # shows `source`, writable
    FRESH = auto()  # an empty folder in memory, writable
    LINK = auto()  # a symbolic link to `source`
    HIDDEN = auto()  # whatever shows there otherwise does not
    PROC = auto()
    DEV = auto()


class Mount(Struct, frozen=True):
    """One place of the sandbox. Of two for the same place the later one counts."""

    kind: Kind
    place: Path
    source: Path | None = None

    @property
    def in_place(self) -> bool:
        return self.source == self.place


def read(place: Path, source: Path | None = None) -> Mount:
    return Mount(Kind.READ, place, source or place)


def write(place: Path, source: Path | None = None) -> Mount:
    return Mount(Kind.WRITE, place, source or place)


def link(place: Path, target: Path) -> Mount:
    return Mount(Kind.LINK, place, target)


def fresh(place: Path) -> Mount:
    return Mount(Kind.FRESH, place)


def hidden(place: Path) -> Mount:
    return Mount(Kind.HIDDEN, place)


def effective(mounts: Iterable[Mount]) -> list[Mount]:
    """The mounts that change something, outer ones first: those that nothing around them already does."""
    by_place = {mount.place: mount for mount in mounts}
    kept: dict[Path, Mount] = {}
    for mount in sorted(by_place.values(), key=lambda mount: len(mount.place.parts)):
        around = next((kept[parent] for parent in mount.place.parents if parent in kept), None)
        shows = around is not None and around.kind in (Kind.READ, Kind.WRITE) and around.in_place
        if mount.kind is Kind.HIDDEN:
            if not shows or not mount.place.exists():
                continue
        elif mount.kind in (Kind.LINK, Kind.FRESH) and shows:
            continue  # there is no making it where the user's own files show
        elif mount.kind is Kind.READ and mount.in_place and shows and around and around.kind is Kind.READ:
            continue
        kept[mount.place] = mount
    return list(kept.values())


def arguments(mounts: Iterable[Mount]) -> list[str]:
    """The options of bubblewrap that make these mounts in an otherwise empty root."""
    made: list[str] = []
    # At the end: the user may have named something in a folder that is hidden.
    closed: list[str] = []
    for mount in mounts:
        place = str(mount.place)
        match mount.kind:
            case Kind.READ:
                made += ["--ro-bind-try", str(mount.source), place]
            case Kind.WRITE:
                made += ["--bind", str(mount.source), place]
            case Kind.FRESH:
                made += ["--tmpfs", place]
            case Kind.LINK:
                made += ["--symlink", str(mount.source), place]
            case Kind.HIDDEN if mount.place.is_dir():
                made += ["--tmpfs", place]
                closed += ["--remount-ro", place]
            case Kind.HIDDEN:
                made += ["--ro-bind", "/dev/null", place]
            case Kind.PROC:
                made += ["--proc", place]
            case Kind.DEV:
                made += ["--dev", place]
    return [*made, *closed]
