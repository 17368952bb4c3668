"""Which files of a checkout belong to the map: what git tracks or would track, less what `.locusignore` names."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pathspec

from locus.local import process
from locus.local.codemap.reading import Tree
from locus.local.errors import LocalError
from locus.local.git.runner import LIST_LIMIT, as_the_user, checked

IGNORE = ".locusignore"
IGNORE_LIMIT = 64 << 10  # bytes
TIMEOUT = 60.0  # seconds

# Looking starts nothing that the repository's configuration names.
_STILL = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_LIST = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")


async def of_checkout(root: Path, environment: Mapping[str, str]) -> list[str]:
    """The files of the user's checkout, untracked ones too, without those that git or `.locusignore` ignores.

    Raises GitError, and LocalError when nobody can tell what is to be left out.
    """
    done = await process.run(
        ["git", *_STILL, *_LIST], cwd=root, env=as_the_user(environment), timeout=TIMEOUT, limit=LIST_LIMIT
    )
    checked(done, "ls-files", accept=(0,), timeout=TIMEOUT)
    listed = dict.fromkeys(done.stdout.decode(errors="surrogateescape").split("\0"))
    return without_ignored(root, (path for path in listed if path))


def without_ignored(root: Path, paths: Iterable[str]) -> list[str]:
    """The paths that the tree's own `.locusignore` does not name; it is written as `.gitignore` is.

    Raises LocalError when there is one that cannot be read whole: what somebody wants left out would be shown.
    """
    with Tree(root) as tree:
        text = tree.read(IGNORE, IGNORE_LIMIT + 1)
    if text is None and not os.path.lexists(root / IGNORE):
        return list(paths)
    if text is None or len(text) > IGNORE_LIMIT:
        what = "cannot be read" if text is None else f"has more than {IGNORE_LIMIT >> 10} KiB"
        raise LocalError(
            f"{IGNORE} {what}, so nobody knows what is to be left out of the map.",
            remedy=f"Make {IGNORE} a file of patterns that you may read, or remove it.",
        )
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if _understood(line)]
    spec = pathspec.GitIgnoreSpec.from_lines(lines)
    return [path for path in paths if not spec.match_file(path)]


def _understood(line: str) -> bool:
    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:  # as git does: a pattern that is none matches nothing
        return False
    return True
