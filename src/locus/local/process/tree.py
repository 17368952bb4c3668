"""Finding and ending every process that a run started, wherever it went.

Agents start their tools in sessions of their own, so the process group is not the whole tree. Four nets,
each with other holes: the descendants recorded before the first signal; the marker in the environment, which
is inherited across sessions; orphans, which the kernel hands to us (Linux); descendants of all of these.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
from msgspec import Struct

MARKER = "LOCUS_RUN"
UNSUPERVISED = "unsupervised"
"""The marker of commands of our own (`run` without one), whose daemons may live on, as ssh's and git's do."""

PR_SET_CHILD_SUBREAPER = 36
ROUNDS = 60  # attempts to find nothing more alive; a process that forks as fast as it is killed has an end too
PAUSE = 0.02  # seconds; the first pause between two rounds, growing to
LONGEST_PAUSE = 0.25  # seconds


class Entry(Struct, frozen=True):
    """One process of this user, as it was in a moment."""

    process: psutil.Process
    parent: int
    session: int
    zombie: bool
    created: float
    marker: str | None


class Tree(Struct, frozen=True):
    """What is known of a run's processes: its marker, if any, and what was seen before.

    Orphans that were born after `orphans_since` (epoch seconds) and carry no marker belong to it, too; None means
    that they may belong to somebody else.
    """

    marker: str | None
    recorded: Collection[psutil.Process] = ()
    orphans_since: float | None = None


# Children that this program has started and not yet reaped: their ends belong to their owners.
started: set[int] = set()


@cache
def adopt_orphans() -> bool:
    """Ask the kernel to hand orphans of our descendants to us instead of to init; says whether it will."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def descendants(pid: int) -> set[psutil.Process]:
    """Return all living descendants of a process; none when it is gone."""
    found: dict[int, psutil.Process] = {}
    waiting = _children(pid)
    while waiting:
        child = waiting.pop()
        if child not in found:
            with suppress(psutil.Error):  # gone in this moment
                found[child] = psutil.Process(child)
                waiting += _children(child)
    return set(found.values())


def _children(pid: int) -> list[int]:
    """The children of a process, by the lists that the kernel keeps where it does; a process that is gone has none."""
    if not kernel_lists_children():
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # the thread has ended
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


@cache
def kernel_lists_children() -> bool:
    """Whether /proc tells the children of a process; a kernel can be built without."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def signal_inside(pid: int, number: int) -> bool:
    """Send a signal to the groups that the children of an enclosure lead; says whether there was one.

    The program around them would end at it, and take them along before they could end by themselves.
    """
    try:
        leaders = [child for child in _children(pid) if os.getpgid(child) == child]
        for leader in leaders:
            os.killpg(leader, number)
    except OSError:  # it has ended meanwhile
        return False
    return bool(leaders)


async def sweep(marker: str) -> int:
    """End every process of this user whose environment carries the marker, with its descendants.

    Returns how many there were. For what a supervisor that died has left behind.
    """
    if marker in ("", UNSUPERVISED):
        raise ValueError("a sweep needs the marker of one run")
    return await end_tree(Tree(marker))


async def end_tree(tree: Tree) -> int:
    """Kill what is alive of a run until nothing is; returns how many processes were killed."""
    killed: set[psutil.Process] = set()
    pause = PAUSE
    for _ in range(ROUNDS):
        found = await asyncio.to_thread(kill_once, tree)
        if not found:
            break
        killed |= found
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return len(killed)


def kill_once(tree: Tree) -> set[psutil.Process]:
    """Send SIGKILL to everything of a run that is alive now and return it; reap orphans that have ended."""
    table = _table()
    if tree.orphans_since is not None:
        _reap(entry for entry in table.values() if entry.zombie and _is_orphan(entry, tree.orphans_since))
    targets = _living(tree, table)
    for process in targets:
        try:
            process.kill()
        except psutil.Error:  # gone in this moment, or another user's by setuid
            pass
    return targets


def _table() -> dict[int, Entry]:
    uid = os.getuid()
    table = {}
    # Not psutil.process_iter: it keeps objects between calls without asking whether a number was reused.
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                if process.uids().real != uid:
                    continue
                zombie = process.status() == psutil.STATUS_ZOMBIE
                table[pid] = Entry(
                    process=process,
                    parent=process.ppid(),
                    session=os.getsid(pid),
                    zombie=zombie,
                    created=process.create_time(),
                    marker=None if zombie else _marker(process),
                )
        except (psutil.Error, OSError):  # it ended while we looked
            continue
    return table


def _marker(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None


def _living(tree: Tree, table: dict[int, Entry]) -> set[psutil.Process]:
    roots = {process.pid for process in tree.recorded if process.pid in table and process.is_running()}
    roots |= {pid for pid, entry in table.items() if not entry.zombie and _belongs(entry, tree)}
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    reached = _with_descendants(roots - ours, table) - ours
    return {table[pid].process for pid in reached if not table[pid].zombie}


def _belongs(entry: Entry, tree: Tree) -> bool:
    if entry.marker is not None:
        return entry.marker == tree.marker
    return tree.orphans_since is not None and _is_orphan(entry, tree.orphans_since)


def _with_descendants(roots: set[int], table: dict[int, Entry]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, entry in table.items():
        children.setdefault(entry.parent, []).append(pid)
    reached: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in reached:
            reached.add(pid)
            waiting.extend(children.get(pid, ()))
    return reached


def _is_orphan(entry: Entry, since: float) -> bool:
    """Whether a process came to us after its parent's death, and not by our own start of it."""
    return (
        entry.parent == os.getpid()
        and entry.process.pid not in started
        # Whatever a child starts lives in the session of that child or in a newer one, never in ours.
        and entry.session != os.getsid(0)
        and entry.created >= since
    )


def _reap(zombies: Iterable[Entry]) -> None:
    # Each by its number: waiting for "any child" would steal the exit codes that others wait for.
    for entry in zombies:
        try:
            os.waitpid(entry.process.pid, os.WNOHANG)
        except OSError:
            pass
