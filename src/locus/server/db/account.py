"""Who runs PostgreSQL: ourselves, or an unprivileged account when we are root, because PostgreSQL refuses root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from locus.server.db.errors import DatabaseUnavailable

# Tried in this order. `nobody` is last: other daemons may run as it, and could then read the cluster.
ACCOUNTS = ("locus-pg", "postgres", "nobody")

# Nothing else is passed on. PG* would move the socket or the data, and a server has no use for the user's tokens.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """A local account that children run as instead of root."""

    name: str
    uid: int
    gid: int


def choose(cluster: Path) -> Account | None:
    """The account that must run the cluster in directory `cluster`, or None for the one we have.

    A cluster that exists keeps its owner, whichever accounts have been added to the machine since.

    Raises:
        DatabaseUnavailable: we are root and there is no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(_name(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        f"PostgreSQL refuses to run as root, and this machine has none of the accounts {', '.join(ACCOUNTS)}.",
        remedy="Create one (useradd --system locus-pg), run as another user, or set DATABASE_URL.",
    )


def run(
    command: Sequence[str | Path], account: Account | None, *, stderr: int = subprocess.PIPE, limit: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as `account`, in a session of its own, so that Ctrl+C in the terminal does not reach it.

    Args:
        stderr: a file descriptor for its errors; by default they are captured.
        limit: seconds after which it is killed.

    Raises:
        OSError: it cannot be started, for instance because the account may not reach it.
        subprocess.TimeoutExpired: it took longer than `limit`.
    """
    return subprocess.run(
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
        cwd="/",
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"LC_ALL": "C"},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        timeout=limit,
        check=False,
    )


def may_enter(directory: Path, account: Account | None) -> bool:
    """Whether the account can reach this directory and go through it. The kernel is asked, not the mode bits."""
    return run(["/bin/sh", "-c", 'test -x "$1/."', "sh", directory], account).returncode == 0


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of `path`, which we made."""
    if account:
        os.chown(path, account.uid, account.gid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
