"""A glance at the user's own checkout, and a push of its branch: constant argument lists, in the user's own name.

No word of somebody else becomes an argument: branch and remote are what git itself says, as full refs behind `--`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from locus.local import process
from locus.local.git.runner import as_the_user, checked
from locus.local.git.trouble import GitError

TIMEOUT = 20.0  # seconds of a look
PUSH_TIMEOUT = 120.0  # seconds
REMOTE = re.compile(r"(?!-)[A-Za-z0-9._/-]{1,100}")
BRANCH = re.compile(r"refs/heads/(?!-)[^\x00-\x20\x7f~^:?*\[\\]{1,200}")

# Looking starts nothing that the repository's configuration names.
_STILL = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.pager=cat",
    "-c",
    "color.ui=false",
)
_LOOKS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "--short", "--branch", "--ignore-submodules=all"),
    "diff": ("diff", "--stat", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "HEAD", "--"),
    "branch": ("branch", "--list", "--sort=-committerdate", "--format=%(HEAD) %(refname:short)  %(contents:subject)"),
}


def look_command(what: str, *, count: int = 10) -> list[str]:
    """The whole command of a look: status, diff, branch, or log with `count` commits."""
    if what == "log":
        return ["git", *_STILL, "log", "--oneline", "--no-decorate", "--no-show-signature", f"--max-count={count:d}"]
    return ["git", *_STILL, *_LOOKS[what]]


def push_command(remote: str, branch: str) -> list[str]:
    """The whole command of a push of one branch to the branch of the same name, without force.

    `branch` is a full ref. Raises GitError for names that are not a remote's or a branch's.
    """
    if not REMOTE.fullmatch(remote) or not BRANCH.fullmatch(branch) or ".." in branch:
        raise GitError("The name of the remote or the branch cannot be used.")
    return ["git", "push", "--porcelain", "--no-force", "--", remote, f"{branch}:{branch}"]


async def look(root: Path, what: str, environment: Mapping[str, str], *, count: int = 10) -> str:
    """What git shows of the checkout `root`. Raises GitError."""
    return await _run(look_command(what, count=count), root, environment, timeout=TIMEOUT)


async def current_branch(root: Path, environment: Mapping[str, str]) -> str:
    """The full ref of the branch that is checked out. Raises GitError when none is."""
    try:
        return (await _run(["git", "symbolic-ref", "--quiet", "HEAD"], root, environment, timeout=TIMEOUT)).strip()
    except GitError as e:
        raise GitError("No branch is checked out.", remedy="Check one out at the terminal.") from e


async def push(root: Path, remote: str, branch: str, environment: Mapping[str, str]) -> str:
    """Push the branch and return what git says. Raises GitError."""
    return await _run(push_command(remote, branch), root, environment, timeout=PUSH_TIMEOUT)


async def _run(argv: list[str], root: Path, environment: Mapping[str, str], *, timeout: float) -> str:
    done = await process.run(argv, cwd=root, env=as_the_user(environment), timeout=timeout)
    network = argv[1] == "push"
    checked(done, "push" if network else "look", accept=(0,), timeout=timeout, network=network)
    return done.stdout.decode("utf-8", "replace")
