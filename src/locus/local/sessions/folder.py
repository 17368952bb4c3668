"""Where Locus keeps what belongs to one repository on this machine, and to nobody else: never inside of it."""

import hashlib
import re
from pathlib import Path

from msgspec import Struct

from locus.local.errors import LocalError

NAME_LIMIT = 40  # characters of the repository's name that a person recognises it by


class Folder(Struct, frozen=True):
    """The folder of one repository in the user's state directory; made when something is written."""

    place: Path

    @property
    def sessions(self) -> Path:
        return self.place / "sessions"

    @property
    def plans(self) -> Path:
        return self.place / "plans"

    @property
    def discussions(self) -> Path:
        return self.place / "discussions"

    @property
    def insights(self) -> Path:
        return self.place / "insights.json"

    @property
    def index(self) -> Path:
        return self.place / "index.sqlite3"

    @property
    def sandbox(self) -> Path:
        return self.place / "sandbox"

    @property
    def history(self) -> Path:
        return self.place / "history"

    def make(self) -> "Folder":
        """Make it, for its owner alone, with a note of which repository it belongs to."""
        try:
            self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise LocalError(f"{self.place} cannot be made: {e.strerror or e}.", remedy="Check its rights.") from e
        return self


def folder_of(root: Path, state: Path) -> Folder:
    """The folder of the repository at `root`, below the user's state directory."""
    return Folder(state / "beside" / _name(root))


def every_folder(state: Path) -> list[Folder]:
    """The folders of all repositories that have one."""
    places = sorted((state / "beside").glob("*-*")) if (state / "beside").is_dir() else []
    return [Folder(place) for place in places if place.is_dir() and not place.is_symlink()]


def _name(root: Path) -> str:
    digest = hashlib.sha256(str(root).encode(errors="surrogateescape")).hexdigest()[:10]
    shown = re.sub(r"[^A-Za-z0-9_.]+", "-", root.name).strip(".-")[:NAME_LIMIT] or "repository"
    return f"{shown}-{digest}"
