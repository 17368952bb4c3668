"""What agents wrote down for people, in `.locus/artifacts/` of the checkout: Markdown files, and nothing else."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.local.text import safe

FOLDER = Path(".locus", "artifacts")
LARGEST = 1 << 20  # bytes


class Artifact(Struct, frozen=True):
    """One file, by its name without folder and ending."""

    name: str
    size: int
    changed_at: datetime


class NoSuchArtifact(LocalError):
    """There is no artifact of that name."""


def artifacts(root: Path) -> list[Artifact]:
    """The artifacts of a checkout, the last changed first. Links are none: they could lead anywhere."""
    found = [one for one, _ in _found(root)]
    return sorted(found, key=lambda one: (one.changed_at, one.name), reverse=True)


def path_of(root: Path, name: str) -> Path:
    """Where an artifact is. Raises NoSuchArtifact for everything that is not in the list."""
    wanted = name.removesuffix(".md")
    for one, path in _found(root):
        if one.name == wanted:
            return path
    raise NoSuchArtifact(f"There is no artifact {name!r} in {FOLDER}.", remedy="See: locus artifacts list")


def text_of(root: Path, name: str) -> str:
    """What an artifact says. Raises LocalError."""
    path = path_of(root, name)
    try:
        if path.stat().st_size > LARGEST:
            raise LocalError(f"{path} is larger than {LARGEST >> 20} MiB.", remedy="Read it in your editor.")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as e:
        raise LocalError(f"{path} cannot be read: {e.strerror or e}.", remedy="Check its rights.") from e


def _found(root: Path) -> Iterator[tuple[Artifact, Path]]:
    folder = root / FOLDER
    if not folder.is_dir() or folder.is_symlink() or folder.parent.is_symlink():
        return
    for path in folder.glob("*.md"):
        with suppress(OSError):  # it may be gone by now
            seen = path.lstat()
            if stat.S_ISREG(seen.st_mode):
                # A name need not be text; what is none of it is shown and said as \ufffd.
                name = os.fsencode(path.stem).decode("utf-8", "replace")
                yield Artifact(name, seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC)), path


def title_of(name: str, text: str) -> str:
    """The first heading of an artifact, or its name."""
    first = next((line for line in text.splitlines() if line.startswith("# ")), "")
    return " ".join(safe(first).lstrip("# ").split())[:200] or name


def write(root: Path, name: str, text: str) -> Path:
    """Write an artifact of ours; returns where it is. Raises LocalError where its folder leads out of the checkout."""
    folder = root / FOLDER
    if folder.is_symlink() or folder.parent.is_symlink():
        raise LocalError(f"{FOLDER} is a link, and nothing is written through it.", remedy="Make it a folder.")
    path = folder / f"{name}.md"
    if path.is_symlink():
        path.unlink()
    files.write(path, text, mode=0o644)
    return path
