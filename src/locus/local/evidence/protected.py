"""Protected files: what only a person may change, because it decides what agents and machines will do next."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath


def touched(paths: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The changed `paths` that a protected pattern covers, in order.

    A pattern is a path of the repository, with `*` within a folder and `**` across folders; one without a slash covers
    that name in every folder. Case is ignored: on some file systems `.CLAUDE/` is `.claude/`.
    """
    compiled = [_parts(pattern) for pattern in patterns]
    return [path for path in paths if any(_covers(parts, PurePosixPath(path.lower()).parts) for parts in compiled)]


def _parts(pattern: str) -> tuple[str, ...]:
    lowered = pattern.lower().strip("/")
    return tuple(lowered.split("/")) if "/" in pattern.rstrip("/") else ("**", lowered)


def _covers(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if not pattern:
        return True  # a folder covers what is in it
    if not path:
        return all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _covers(pattern[1:], path) or _covers(pattern, path[1:])
    return PurePosixPath(path[0]).match(pattern[0]) and _covers(pattern[1:], path[1:])
