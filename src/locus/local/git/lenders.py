"""Folders of objects that borrow from others, as a clone with `--reference` does."""

from pathlib import Path

MOST_LENDERS = 10  # a repository borrows from one that borrows from one; not for ever


def lenders(objects: Path) -> tuple[Path, ...]:
    """A folder of objects, and those that it borrows from, and those that these borrow from."""
    found = [objects]
    for folder in found:
        try:
            lines = (folder / "info" / "alternates").read_text(errors="surrogateescape").splitlines()
        except OSError:
            continue
        for line in lines:
            lender = folder / line
            if line and not line.startswith("#") and lender not in found and len(found) < MOST_LENDERS:
                found.append(lender)
    return tuple(found)
