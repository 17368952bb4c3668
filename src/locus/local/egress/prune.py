"""Forgetting old months of the egress log, so that what is left can still be proved whole.

The log itself says what was removed: a line with the number and the hash of the last one that went, in the chain like
every other. Only whole months go, and never the one that is being written.
"""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from locus.local.egress.lines import Pruned, decode, hash_of, months
from locus.local.egress.log import locked, now
from locus.local.egress.verify import verify
from locus.local.errors import LocalError


class Gone(Struct, frozen=True):
    """What was removed, or would be: files, and the number of the last line that went."""

    files: tuple[str, ...]
    size: int  # bytes
    through: int


def prune(log: Path, *, before: datetime, dry_run: bool = False) -> Gone:
    """Remove the months of the log in `log` that had ended `before`.

    Raises LocalError when the log is not whole, since what is amiss could not be told any more, or cannot be written.
    """
    if verify(log).broken:
        raise LocalError(
            "The egress log is not whole, and removing a part of it would hide that.",
            remedy="See what is amiss: locus egress verify",
        )
    files, size, through = [], 0, 0
    try:
        for path in months(log):
            if _end(path) > before.astimezone(UTC):
                break
            if (last := _last(path)) is None:
                break
            with locked(log) as end:
                if path.name == end.file:
                    break
                if not dry_run:
                    # First the line, then the file: a crash in between leaves a log that is whole, with the file.
                    end.append(Pruned(n=end.next, prev=end.hash, at=now(), through=last[0], hash=last[1]))
            files.append(path.name)
            size += path.stat().st_size
            through = last[0]
            if not dry_run:
                path.unlink()
    except OSError as e:
        raise LocalError(f"The egress log in {log} cannot be written: {e.strerror or e}.") from e
    return Gone(tuple(files), size, through)


def _end(path: Path) -> datetime:
    """The moment in which the month of a file had ended."""
    year, month = int(path.name[:4]), int(path.name[5:7])
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _last(path: Path) -> tuple[int, str] | None:
    """Number and hash of the last line of a file that is whole."""
    lines = path.read_bytes().split(b"\n")[:-1]
    read = decode(lines[-1]) if lines else None
    return (read.n, hash_of(lines[-1])) if read else None
