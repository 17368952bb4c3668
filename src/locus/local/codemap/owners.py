"""Who worked on which file, as git tells it. For people: no prompt has a name of somebody."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from locus.local import process
from locus.local.git.runner import LIST_LIMIT, as_the_user, checked

COMMITS = 1_000  # the newest; who worked on it before owns it no more
TIMEOUT = 30.0  # seconds

_LOG = (
    *("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"),
    *("log", "-z", "--no-merges", "--no-show-signature", "--no-renames", "--no-ext-diff", "--name-only"),
    *(f"--max-count={COMMITS}", "--format=%x1e%aN%x1f"),
)


async def owners(root: Path, environment: Mapping[str, str]) -> dict[str, Counter[str]]:
    """How many of the newest commits each person has for each file. Raises GitError."""
    done = await process.run(
        _LOG, cwd=root, env=as_the_user(environment) | {"GIT_NO_LAZY_FETCH": "1"}, timeout=TIMEOUT, limit=LIST_LIMIT
    )
    if done.exit.code == 128 and b"does not have any commits" in done.stderr:
        return {}
    checked(done, "log", accept=(0,), timeout=TIMEOUT)
    found: dict[str, Counter[str]] = {}
    for commit in done.stdout.decode(errors="surrogateescape").split("\x1e"):
        author, _, listed = commit.partition("\x1f")
        for path in listed.replace("\n", "", 1).split("\0"):
            if path:
                found.setdefault(path, Counter())[author] += 1
    return found
