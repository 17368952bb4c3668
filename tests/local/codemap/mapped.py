"""A tree of files and its index, for the tests of the map."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from locus.local.codemap.nearest import nearest
from locus.local.codemap.refresh import Refreshed, refresh
from locus.local.codemap.store import Store, opened


@dataclass(frozen=True)
class Mapped:
    """An open index, and the folder that it is of."""

    store: Store
    root: Path

    def refresh(self) -> Refreshed:
        """Bring it up to date with every file that is there."""
        paths = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if not path.is_dir()]
        return asyncio.run(refresh(self.store, self.root, paths))

    def nearest(self, text: str) -> list[str]:
        """The paths that have to do with a text, the nearest first."""
        return [found.file.path for found in nearest(self.store, self.root, text)]

    def files(self) -> dict[str, str | None]:
        """The files that are known, each with what keeps it from being read."""
        return {path: file.note for path, file in self.store.files(self.store.tree(self.root)).items()}


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


@contextmanager
def mapped(place: Path, files: Mapping[str, str | bytes]) -> Iterator[Mapped]:
    """A tree of these files, and its index, up to date."""
    root = place / "tree"
    root.mkdir(exist_ok=True)
    write(root, files)
    with opened(place / "index.sqlite3") as store:
        found = Mapped(store, root)
        found.refresh()
        yield found
