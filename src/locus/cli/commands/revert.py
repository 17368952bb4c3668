"""`locus revert`: take one task out of its sprint's branch by a new commit, and send the task back."""

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.params import TASK
from locus.cli.run.alone import place
from locus.cli.text import GLYPHS, STYLES
from locus.cli.words import message
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError
from locus.local.worker import told
from locus.local.worker.revert import NothingToUndo, Revert, Reverted
from locus.local.worker.site import Site
from locus.local.worker.why import branch_of
from locus.local.worker.workplace import Options, Workplace
from locus.wire.tasks import Status, StatusChange, Task

SAID = {
    Status.BACKLOG: "in the backlog again",
    Status.IN_PROGRESS: "in progress",
    Status.IN_REVIEW: "in review",
    Status.DONE: "done",
    Status.BLOCKED: "blocked",
}


class LaterTask(Struct, frozen=True):
    """A commit after the task's that touches the same files."""

    task: str | None
    commit: str
    subject: str
    paths: list[str]


class Checked(Struct, frozen=True):
    """A check as it went without the task's change."""

    check: str
    passed: bool
    why: str


class Answer(Struct, frozen=True):
    """What `locus revert --json` says. `commit` is null when nothing was pushed."""

    task: Task
    branch: str
    undone: list[str]
    files: int
    later: list[LaterTask]
    checks: list[Checked]
    commit: str | None
    dry_run: bool


@frame.command("revert")
@click.argument("task", type=TASK, metavar="KEY")
@click.option("--message", "-m", "text", metavar="TEXT", help="Why; the next attempt reads it. `-`: standard input.")
@click.option("--dry-run", is_flag=True, help="Do everything but the push, and leave the task where it is.")
@click.option("--although-red", is_flag=True, help="Push although checks are red without the task's change.")
@click.pass_obj
def command(here: Invocation, task: str, text: str | None, dry_run: bool, although_red: bool) -> int:
    """Undo one task of its sprint's branch by a new commit, and send the task back to the agents.

    The later tasks that touched the same files are named. The checks run without the task's change before anything is
    pushed, and nothing is ever forced: after a conflict, red checks or a refused push the branch is as it was.
    """
    out = Output(here)
    why = message(text)

    async def undo() -> int:
        async with session.plane(here) as plane:
            found = await _may(plane, task)
            work = await _place(here, plane, out)
            site = await Site.open(work, branch=await _branch(plane, found), agent_name="revert")
            try:
                required = (await plane.workspaces.get(found.workspace_id)).required_checks
                revert = Revert(work, site, found, required=required, why=why or "")
                done = await revert.run(
                    push=not dry_run,
                    although_red=although_red,
                    foresee=lambda planned: None if here.json else _foresee(out, found, site, planned),
                )
            except NothingToUndo as e:
                if e.by is None or dry_run or found.status not in (Status.IN_REVIEW, Status.DONE):
                    raise
                # The commit was pushed, and what came after it was cut short.
                out.note(e.message)
                sent_back = await _send_back(plane, found, e.by.sha, site.branch, why)
                return _say(out, Answer(sent_back, site.branch, [], 0, [], [], e.by.sha, dry_run))
            finally:
                for remark in await site.leave():
                    out.note(remark)
            if done.commit is not None:
                found = await _send_back(plane, found, done.commit, site.branch, why)
            return _say(out, _answer(found, site, done, dry_run=dry_run))

    return session.run(undo())


async def _may(plane: ControlPlane, key: str) -> Task:
    task = await plane.tasks.get(key)
    if task.agent_id is not None:
        raise LocalError(
            f"{task.agent_name or 'An agent'} is working on {task.key}.",
            remedy=f"Wait for it, or stop it first: locus tasks cancel {task.key}",
        )
    return task


async def _branch(plane: ControlPlane, task: Task) -> str:
    """The branch that has the task's commit, or would have it."""
    if task.branch is not None:
        return task.branch
    if task.sprint_id is None:
        raise LocalError(f"{task.key} is in no sprint and was never pushed, so there is nothing to undo.")
    return branch_of(await plane.sprints.get(task.sprint_id))


async def _place(here: Invocation, plane: ControlPlane, out: Output) -> Workplace:
    def tell(what: told.Told) -> None:
        if here.json:
            return
        match what:
            case told.CheckStarted(check=check):
                out.note(Cell("· ", "dim"), f"{check.name}  {check.run}")
            case told.Preparing(command=command) if command:
                out.note(Cell("· ", "dim"), command)
            case told.Note(text=text):
                out.note(Cell("! ", "yellow"), text)

    settings = session.settings(here)
    return await place(here, plane, settings, Options(base=settings.base), tell)


def _foresee(out: Output, task: Task, site: Site, planned: Reverted) -> None:
    out.line(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), Cell(task.key, "bold"), "  ", task.title)
    for one in planned.undone:
        out.line(Cell("undoes   ", "dim"), f"{one.short}  {one.subject}")
    changes = planned.changes
    files = "1 file" if changes.files == 1 else f"{changes.files} files"
    out.line(Cell("change   ", "dim"), f"{files}, +{changes.added} −{changes.removed}, on {site.branch}")
    if planned.later:
        out.line(Cell("! ", "yellow"), "Later changes touched the same files; look whether they still make sense:")
        rows: list[list[str | Cell]] = [
            [one.commit.task or one.commit.short, one.commit.subject, ", ".join(one.paths)] for one in planned.later
        ]
        out.table([Column("TASK"), Column("CHANGE"), Column("FILES", grows=True)], rows)


def _answer(task: Task, site: Site, done: Reverted, *, dry_run: bool) -> Answer:
    return Answer(
        task=task,
        branch=site.branch,
        undone=[one.sha for one in done.undone],
        files=done.changes.files,
        later=[LaterTask(one.commit.task, one.commit.sha, one.commit.subject, [*one.paths]) for one in done.later],
        checks=[Checked(result.check.name, result.passed, result.why) for result in done.results],
        commit=done.commit,
        dry_run=dry_run,
    )


def _say(out: Output, answer: Answer) -> int:
    red = [check for check in answer.checks if not check.passed]
    failed = bool(red) and answer.commit is None
    if out.json_wanted:
        out.json(answer)
        return 1 if failed else 0
    for check in answer.checks:
        glyph, style = ("✓", "green") if check.passed else ("✗", "red")
        out.line(Cell(f"{glyph} ", style), f"{check.check}: {check.why}")
    if answer.commit is not None:
        task = answer.task
        out.line(Cell("✓ ", "green"), f"{answer.branch} is at {answer.commit[:7]}, without {task.key}.")
        out.line(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), f"{task.key} is {SAID[task.status]}.")
    elif failed:
        names = ", ".join(check.check for check in red)
        out.line(Cell("✗ ", "red"), f"{names} red without {answer.task.key}, so nothing was pushed.")
        if not answer.dry_run:
            out.note(f"Push it all the same: locus revert {answer.task.key} --although-red")
    else:
        out.note(f"Nothing was pushed. Do it: locus revert {answer.task.key}")
    return 1 if failed else 0


async def _send_back(plane: ControlPlane, task: Task, commit: str, branch: str, why: str | None) -> Task:
    """The task goes back with what happened to it, where it counts as done; elsewhere that is a comment."""
    said = f"Its change was taken out of {branch} again, by {commit[:7]}."
    if why:
        said = f"{said}\n\n{why}"
    if task.status in (Status.IN_REVIEW, Status.DONE):
        return await plane.tasks.set_status(task.id, StatusChange(status=Status.BACKLOG, feedback=said))
    await plane.tasks.comment(task.id, said)
    return task
