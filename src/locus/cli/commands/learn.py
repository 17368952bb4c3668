"""`locus learn`: what every agent should know before its task."""

import hashlib
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from locus.cli import session, words
from locus.cli.beside.stage import folder
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local import files, learnings, project
from locus.local.errors import LocalError, Usage
from locus.local.sessions.folder import Folder
from locus.wire.events import EventKind
from locus.wire.tasks import CommentKind

EVENTS = 1000  # that are looked through for rejected work
TASKS = 20  # whose comments are read


class Proposal(Struct, frozen=True):
    """What a person said of work that they sent back."""

    id: str
    task: str
    text: str


@_command("learn")
@click.argument("lesson", required=False)
@click.option("--proposals", is_flag=True, help="List what was said of rejected work, as lessons to take or leave.")
@click.option("--accept", metavar="ID", help="Take a proposal; LESSON says it better, if it is given.")
@click.option("--dismiss", metavar="ID", help="Do not propose this one again.")
@click.pass_obj
def command(here: Invocation, lesson: str | None, proposals: bool, accept: str | None, dismiss: str | None) -> None:
    """Write a lesson into .locus/LEARNINGS.md, which every agent reads before its task. Alone it lists them.

    A lesson is one sentence, and is there once: what says the same as another is refused. After work was sent back,
    --proposals shows what was said of it, for you to choose what holds for later work, too.

    \b
    Examples:
      locus learn "Prices are integers in cents, never floats"
      locus learn --proposals
      locus learn --accept 3f9c "Every new setting has a line in docs/reference.md"
    """
    if sum((proposals, accept is not None, dismiss is not None)) > 1 or (lesson and (proposals or dismiss is not None)):
        raise click.UsageError("Those are two things; do one after the other.")
    out = Output(here)
    root = project.find(here.cwd)
    if accept is not None or dismiss is not None:
        wanted = _one(here, accept or dismiss or "")
        if accept is not None:
            _learned(out, _accepted(root, wanted, words.message(lesson)))
        _dismiss(folder(here)[1], wanted.id)
        if dismiss is not None and here.json:
            out.json(wanted)
        elif dismiss is not None:
            out.note(f"{wanted.id} is not proposed again.")
    elif proposals:
        _list(out, _proposals(here))
    elif lesson is not None:
        _learned(out, learnings.learn(root, words.message(lesson) or ""))
    else:
        found = learnings.lessons(root)
        if here.json:
            out.json(found)
        elif not found:
            out.note('Nothing learned yet. Begin: locus learn "What the next agent should know"')
        for one in [] if here.json else found:
            out.line(f"- {one}")


def _accepted(root: Path, wanted: Proposal, better: str | None) -> str:
    try:
        return learnings.learn(root, better or wanted.text)
    except Usage as e:
        if better is None:
            e.remedy = f'{e.remedy}\nlocus learn --accept {wanted.id} "…"'
        raise


def _learned(out: Output, lesson: str) -> None:
    if out.json_wanted:
        out.json({"lesson": lesson})
    else:
        out.note(f"Learned: {lesson}")
        out.note("It is in .locus/LEARNINGS.md; commit that file for others to have it.")


def _list(out: Output, found: list[Proposal]) -> None:
    if out.json_wanted:
        out.json(found)
    elif not found:
        out.note("Nothing to learn from: no rejected work says anything new.")
    else:
        for one in found:
            out.line(f"{one.id}  ", Cell(one.task, "dim"))
            out.text(one.text)
        out.note("Take one: locus learn --accept ID   Leave it: locus learn --dismiss ID")


def _one(here: Invocation, wanted: str) -> Proposal:
    found = [one for one in _proposals(here) if wanted and one.id.startswith(wanted.lower())]
    if len(found) != 1:
        what = "is no proposal" if not found else "is the beginning of several proposals"
        raise LocalError(f"{wanted!r} {what}.", remedy="See: locus learn --proposals")
    return found[0]


def _proposals(here: Invocation) -> list[Proposal]:
    """What people said of rejected work, without what was learned, dismissed or said before."""
    root, ours = folder(here)
    known = learnings.lessons(root)
    dismissed = _dismissed(ours)
    found: list[Proposal] = []
    for task, text in session.run(_rejections(here)):
        proposal = Proposal(hashlib.sha256(text.encode()).hexdigest()[:8], task, text)
        said = [*known, *(one.text for one in found)]
        if proposal.id not in dismissed and learnings.like(text, said) is None:
            found.append(proposal)
    return found


async def _rejections(here: Invocation) -> list[tuple[str, str]]:
    """Task and feedback, the newest first."""
    async with session.plane(here) as plane:
        tasks, seen = [], 0
        async for event in plane.events.newest():
            seen += 1
            rejected = event.kind is EventKind.COMMENT_ADDED and event.detail.comment_kind is CommentKind.REJECTION
            if rejected and event.task_id is not None and event.task_id not in tasks:
                tasks.append(event.task_id)
            if seen >= EVENTS or len(tasks) >= TASKS:
                break
        found = []
        for task_id in tasks:
            key = (await plane.tasks.get(task_id)).key
            said = [one async for one in plane.tasks.comments(task_id) if one.kind is CommentKind.REJECTION]
            found += [(key, one.text) for one in reversed(said)]
        return found


def _dismissed(ours: Folder) -> list[str]:
    text = files.read_private(ours.place / "dismissed.json")
    return msgspec.json.decode(text, type=list[str]) if text else []


def _dismiss(ours: Folder, proposal: str) -> None:
    ours.make()
    with files.locked(ours.place / "dismissed.json"):
        kept = list(dict.fromkeys([*_dismissed(ours), proposal]))
        files.write(ours.place / "dismissed.json", msgspec.json.encode(kept).decode())
