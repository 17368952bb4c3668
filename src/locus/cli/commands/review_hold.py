"""`locus review-hold`: look at changes that are held for a person, and let them through or send them back."""

import sys
from collections.abc import Callable

import click
from msgspec import Struct, field
from rich.console import Console

from locus.cli import frame, session, yes_or_no
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output, is_terminal
from locus.cli.params import TASK
from locus.cli.run.alone import place
from locus.cli.run.signals import stoppable
from locus.cli.run.view import RunView
from locus.cli.text import GLYPHS, STYLES, ago
from locus.cli.words import message
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError, Usage
from locus.local.git.clone import parked
from locus.local.git.commit import Identity
from locus.local.worker import held, told
from locus.local.worker.approval import AGENT, Approval
from locus.local.worker.held import Held, Look
from locus.local.worker.outcome import Completed
from locus.local.worker.workplace import Options, Workplace
from locus.wire.tasks import Status, StatusChange, Task

Listener = Callable[[told.Told], None]
SHORT = 12  # characters of a commit's id that a person is shown


class Shown(Struct, frozen=True):
    """One held change, as `--json` tells it. Without `commit` it is not on this machine."""

    task: Task
    agent: str | None
    fence: int
    commit: str | None = None
    why: list[str] = field(default_factory=list)
    files: int = 0
    added: int = 0
    removed: int = 0
    diff: str | None = None  # when one task was named


class Decided(Struct, frozen=True):
    """What came of a decision, as `--json` tells it."""

    task: Task
    approved: bool
    delivered: bool  # whether the change is on the branch
    commit: str | None
    detail: str


@frame.command("review-hold")
@click.argument("task", type=TASK, metavar="[KEY]", required=False)
@click.option("--approve", is_flag=True, help="Let the change through: it is checked, committed, pushed and reported.")
@click.option("--reject", metavar="TEXT", help="Send it back with what must be otherwise; `-` reads standard input.")
@click.option("--commit", metavar="SHA", help="Approve only if the held change is this one.")
@click.option("--yes", "-y", is_flag=True, help="Do not show the change again and ask.")
@click.pass_obj
def command(
    here: Invocation, task: str | None, approve: bool, reject: str | None, commit: str | None, yes: bool
) -> int:
    """Look at changes that wait for a person because they touch protected files or weaken tests.

    Alone it lists them; with a KEY it shows the exact change, which has not left this machine. Approved, exactly that
    change is put on the sprint's branch, after its checks are green, in a commit that says who approved it; if
    anything stands against it, it is held as before. Rejected, the task goes back to the agents with your words.
    """
    if approve and reject is not None:
        raise click.UsageError("--approve and --reject say different things; give one of them.")
    if task is None:
        if approve or reject is not None or commit or yes:
            raise click.UsageError("Name the task: locus review-hold KEY --approve")
        _list(here)
        return 0
    if reject is not None:
        _reject(here, task, message(reject))
        return 0
    if approve:
        return _approve(here, task, commit, yes=yes)
    _show(here, task)
    return 0


def _list(here: Invocation) -> None:
    out = Output(here)

    async def gather() -> list[Shown]:
        async with session.plane(here) as plane:
            work = await _place(here, plane)
            found = await held.everything(plane, await parked(work.checkout, work.state))
            return [await _shown(work, one) for one in found]

    changes = session.run(gather())
    if here.json:
        out.json(changes)
        return
    if not changes:
        out.note("Nothing is held.")
        return
    columns = [Column("TASK"), Column("FILES", right=True), Column("LINES"), Column("MADE BY")]
    out.table([*columns, Column("HELD BECAUSE", grows=True)], [_row(one) for one in changes])
    out.note(f"Look at one: locus review-hold {changes[0].task.key}")


def _row(one: Shown) -> list[str | Cell]:
    if one.commit is None:
        return [one.task.key, "–", "–", one.agent or "–", Cell("its change is not on this machine", "dim")]
    lines = f"+{one.added} −{one.removed}"
    return [one.task.key, str(one.files), lines, one.agent or "–", "; ".join(one.why)]


def _show(here: Invocation, key: str) -> None:
    out = Output(here)

    async def gather() -> tuple[Held, Shown]:
        async with session.plane(here) as plane:
            work = await _place(here, plane)
            one = await held.one(plane, await parked(work.checkout, work.state), key)
            one.here()
            return one, await _shown(work, one, diff=True)

    one, shown = session.run(gather())
    if here.json:
        out.json(shown)
        return
    _print(out, one, shown)
    out.line()
    assert shown.commit is not None, "it is here"
    out.note(f"Let it through:  locus review-hold {key} --approve --commit {shown.commit[:SHORT]}")
    out.note(f'Send it back:    locus review-hold {key} --reject "What must be otherwise"')


def _print(out: Output, one: Held, shown: Shown) -> None:
    task = one.task
    out.line(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), Cell(task.key, "bold"), "  ", task.title)
    for why in shown.why or ["a rule that held it then does not any more"]:
        out.line(Cell("held     ", "dim"), why)
    files = "1 file" if shown.files == 1 else f"{shown.files} files"
    made = f"{shown.agent or 'an agent'}, attempt {one.fence}, {ago(one.attempt.ended_at)}"
    out.line(Cell("change   ", "dim"), f"{files}, +{shown.added} −{shown.removed}, by {made}")
    out.line()
    out.text((shown.diff or "").rstrip("\n"))


def _reject(here: Invocation, key: str, words: str | None) -> None:
    out = Output(here)
    if not words:
        raise Usage("A rejection must say what has to be otherwise.", remedy="The next attempt reads it.")

    async def send_back() -> Task:
        async with session.plane(here) as plane:
            await held.one(plane, (), key)
            return await plane.tasks.set_status(key, StatusChange(status=Status.BACKLOG, feedback=words))

    task = session.run(send_back())
    if here.json:
        out.json(Decided(task, approved=False, delivered=False, commit=None, detail=""))
    else:
        out.note(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), f"{key} is in the backlog, with your words.")


def _approve(here: Invocation, key: str, commit: str | None, *, yes: bool) -> int:
    out = Output(here)
    if not yes and (here.json or not (is_terminal() and is_terminal(sys.stdin))):
        raise Usage(
            "Nobody can be asked here.",
            remedy=f"Look at it first (locus review-hold {key}), then: locus review-hold {key} --approve --yes",
        )
    said: list[told.Told] = []

    async def deliver() -> tuple[Decided | None, int]:
        async with session.plane(here) as plane:
            with RunView(Console(highlight=False, markup=False, emoji=False), quiet=here.quiet) as view:
                work = await _place(here, plane, tell=said.append if here.json else view.tell, task=key)
                one = await held.one(plane, await parked(work.checkout, work.state), key)
                if commit and not one.here().commit.startswith(commit.lower()):
                    raise LocalError(
                        f"The change of {key} that is held is {one.here().commit[:SHORT]}, not {commit}.",
                        remedy=f"Look at it: locus review-hold {key}",
                    )
                if not yes:
                    _print(out, one, await _shown(work, one, diff=True))
                    out.line()
                    if not yes_or_no.asked(f"Put this change on the branch of {key}'s sprint?"):
                        raise LocalError("Nothing was decided.")
                run = Approval(work, one, by=await _name(work))
                came = await stoppable(run.run(), run.interrupt)
            code = came.exit_code(lambda result: bool(result.tally.completed))
            if here.json and came.result is not None:
                return _decided(await plane.tasks.get(key), said), code
            return None, code

    answer, code = session.run(deliver())
    if answer is not None:
        out.json(answer)
    return code


def _decided(task: Task, said: list[told.Told]) -> Decided:
    outcomes = [one.outcome for one in said if isinstance(one, told.TaskEnded)]
    done = [one for one in outcomes if isinstance(one, Completed)]
    detail = "" if done else "; ".join(getattr(one, "detail", "") for one in outcomes)
    return Decided(task, True, bool(done), done[0].commit if done else None, detail)


async def _place(
    here: Invocation, plane: ControlPlane, *, tell: Listener = lambda _: None, task: str | None = None
) -> Workplace:
    settings = session.settings(here)
    sprint = (await plane.tasks.get(task)).sprint_id if task else None
    options = Options(name=AGENT, sprint=str(sprint) if sprint else None, base=settings.base)
    return await place(here, plane, settings, options, tell)


async def _shown(work: Workplace, one: Held, *, diff: bool = False) -> Shown:
    if one.parked is None:
        return Shown(one.task, one.attempt.agent_name, one.fence)
    seen: Look = await held.look(work.checkout, work.project, one.parked)
    return Shown(
        task=one.task,
        agent=one.attempt.agent_name,
        fence=one.fence,
        commit=one.parked.commit,
        why=list(seen.inspection.held),
        files=seen.changes.files,
        added=seen.changes.added,
        removed=seen.changes.removed,
        # A diff holds the bytes of any file.
        diff=seen.diff.encode(errors="surrogateescape").decode(errors="replace") if diff else None,
    )


async def _name(work: Workplace) -> str:
    """Who approves: the name that their commits bear, or that of their key."""
    identity = work.checkout.identity
    if identity == Identity.of_nobody():
        return (await work.plane.me()).name
    return f"{identity.name} <{identity.email}>"
