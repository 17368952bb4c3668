"""The agent's last words about a finished task, scrubbed, for a workspace that has asked for them.

Three have a say: the workspace asks, the user of this machine may forbid it, and the words must stand the comparison
with everything that the agent may have read. When one of them does not agree, nothing is sent.
"""

import asyncio
import socket
import time
from pathlib import PurePath

from locus.local.git.changes import Changes
from locus.local.git.lines import changed_lines
from locus.local.summaries import NotCompared, Place, scrub
from locus.local.worker import told
from locus.local.worker.attempt import Attempt

PATIENCE = 60.0  # seconds; a tree that takes longer is not compared, and then nothing is sent
MESSAGES = 5_000  # of commits that are compared
ASKED = (
    "This workspace asks for a summary of finished work: up to 500 characters of what the agent says last, in plain"
    " words and without anything that occurs in your files. See each with: locus egress log. To send none:"
    " summaries = false in your settings."
)
TOO_LARGE = "{}: no summary is sent; the tree is too large to be sure that nothing of it is in one."
NAMES = ("USER", "LOGNAME", "USERNAME", "HOSTNAME", "HOST")


def wanted(attempt: Attempt) -> bool:
    """Whether the workspace asks for a summary and the user has not forbidden it; the run says so once."""
    if not (attempt.snapshot.summaries and attempt.work.options.summaries):
        return False
    if not attempt.site.told_of_summaries:
        attempt.site.told_of_summaries = True
        attempt.work.tell(told.Note(text=ASKED))
    return True


async def summarised(attempt: Attempt, message: str, changes: Changes, *, base: str) -> str | None:
    """What may be sent of the agent's last message about a change; None when that is nothing.

    Raises GitError, Stopped.
    """
    place = await _seen(attempt, changes, base)
    until = time.monotonic() + PATIENCE
    # In a thread, since the heartbeat must not wait; it gives up as soon as the attempt is asked to stop.
    looking = asyncio.to_thread(
        scrub,
        message,
        place,
        environment=attempt.work.environment,
        names=_names(attempt),
        key=attempt.key,
        over=lambda: attempt.stop.asked or time.monotonic() > until,
    )
    try:
        return (await attempt.unless_stopped(looking)).text
    except NotCompared:
        attempt.work.tell(told.Note(text=TOO_LARGE.format(attempt.key)))
        return None


async def _seen(attempt: Attempt, changes: Changes, base: str) -> Place:
    """What the agent may have read: its tree, the user's checkout, what it removed, and the messages of commits."""
    git, work = attempt.site.git, attempt.work
    removed = [line for file in await changed_lines(git, base, changes.tree) for line in file.removed]
    messages = await git.text("log", f"--max-count={MESSAGES}", "--format=%B", base)
    texts = ("\n".join(removed).encode(errors="replace"), messages.encode(errors="replace"))
    return Place(roots=tuple(dict.fromkeys((attempt.site.tree, work.checkout.root))), texts=texts)


def _names(attempt: Attempt) -> list[str]:
    """What the person and the machine are called."""
    environment, identity = attempt.work.environment, attempt.work.checkout.identity
    names = [environment.get(name, "") for name in NAMES]
    host = socket.gethostname()
    return [
        *names,
        host.partition(".")[0],
        PurePath(environment.get("HOME", "")).name,
        identity.name,
        identity.email.partition("@")[0],
    ]
