"""`locus evidence`: everything that was measured for a task, compared with what this machine has kept."""

from datetime import datetime

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.board import UNVERIFIED
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.params import TASK
from locus.cli.text import GLYPHS, STYLES, ago, duration
from locus.local.directories import directories
from locus.local.evidence.kept import Standing, look
from locus.wire.tasks import Task
from locus.wire.work import Attempt, Evidence, Numbers

KEPT: dict[Standing, str] = {
    Standing.VERIFIED: "verified",
    Standing.ALTERED: "does not match",
    Standing.NOT_HERE: "not on this machine",
    Standing.NO_OUTPUT: "nothing to keep",
}


class Measured(Struct, frozen=True):
    """One check of one attempt, and what of its output is here."""

    evidence: Evidence
    output: Standing
    path: str | None


class Tried(Struct, frozen=True):
    """One attempt with all that was measured."""

    fence: int
    agent: str | None
    ended_at: datetime
    outcome: str
    reason: str | None
    commit: str | None
    branch: str | None
    numbers: Numbers | None
    checks: list[Measured]
    summary: str | None = None  # the agent's words, which nobody has verified


class Answer(Struct, frozen=True):
    """What `locus evidence --json` says. `sound` is false when kept output is not what was reported."""

    task: Task
    sound: bool
    attempts: list[Tried]


@frame.command("evidence")
@click.argument("task", type=TASK, metavar="KEY")
@click.pass_obj
def command(here: Invocation, task: str) -> int:
    """Show what was measured for a task: attempts, checks, tests, times, hashes, commits.

    The output of checks stays on the machine that ran them. What is here is compared with the hash that the server was
    told; the command ends with 1 when it is not the same.
    """
    out = Output(here)
    answer = session.run(_gather(here, task))
    if here.json:
        out.json(answer)
    else:
        _show(out, answer)
    return 0 if answer.sound else 1


async def _gather(here: Invocation, key: str) -> Answer:
    async with session.plane(here) as plane:
        task = await plane.tasks.get(key)
        attempts = [_tried(task, attempt) async for attempt in plane.tasks.attempts(task.id)]
    sound = all(one.output is not Standing.ALTERED for attempt in attempts for one in attempt.checks)
    return Answer(task, sound, attempts)


def _tried(task: Task, attempt: Attempt) -> Tried:
    checks = []
    for evidence in attempt.evidence:
        kept = look(directories().state, task.workspace_id, task.key, attempt.fence, evidence)
        checks.append(Measured(evidence, kept.standing, str(kept.path) if kept.path else None))
    reason = attempt.fail_reason or attempt.release_reason
    return Tried(
        fence=attempt.fence,
        agent=attempt.agent_name,
        ended_at=attempt.ended_at,
        outcome=attempt.outcome.value,
        reason=reason.value if reason else None,
        commit=attempt.commit,
        branch=attempt.branch,
        numbers=attempt.numbers,
        checks=checks,
        summary=attempt.summary,
    )


def _show(out: Output, answer: Answer) -> None:
    task = answer.task
    out.line(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), Cell(task.key, "bold"), "  ", task.title)
    if not answer.attempts:
        out.note("Nothing was tried yet, so nothing was measured.")
    for attempt in answer.attempts:
        out.line()
        ending = attempt.outcome + (f": {attempt.reason.replace('_', ' ')}" if attempt.reason else "")
        out.line(
            Cell(f"Attempt {attempt.fence}", "bold"), f"  {ending}  {attempt.agent or '–'}  {ago(attempt.ended_at)}"
        )
        if attempt.commit:
            out.line(Cell("commit   ", "dim"), attempt.commit, f"  on {attempt.branch}" if attempt.branch else "")
        if attempt.numbers:
            out.line(Cell("change   ", "dim"), _change(attempt.numbers))
        out.table(
            [
                Column("CHECK"),
                Column("RESULT"),
                Column("TESTS", right=True),
                Column("RED FIRST"),
                Column("EXIT", right=True),
                Column("TOOK", right=True),
                Column("OUTPUT SHA-256"),
                Column("KEPT"),
            ],
            [_row(one) for one in attempt.checks],
        )
        if not attempt.checks:
            out.line(Cell("checks   ", "dim"), "none were run")
        if attempt.summary:
            out.line(Cell(f"{UNVERIFIED}:", "dim"))
            out.text(attempt.summary)
    if not answer.sound:
        out.note()
        out.note(Cell("! ", "red"), "Output that is kept here is not what was reported. Somebody has changed it since.")


def _row(one: Measured) -> list[str | Cell]:
    evidence = one.evidence
    green = evidence.passed
    return [
        evidence.check,
        Cell("✓ green" if green else "✗ red", "green" if green else "red"),
        "–" if evidence.tests is None else str(evidence.tests),
        "–" if evidence.red_first is None else "✗→✓" if evidence.red_first else "no",
        str(evidence.exit_code),
        duration(evidence.duration_ms / 1000),
        evidence.output_sha256[:16],
        Cell(KEPT[one.output], "red" if one.output is Standing.ALTERED else ""),
    ]


def _change(numbers: Numbers) -> str:
    files = "1 file" if numbers.files == 1 else f"{numbers.files} files"
    parts = [f"{files}, +{numbers.lines_added} −{numbers.lines_removed}"]
    if tokens := numbers.input_tokens + numbers.output_tokens:
        parts.append(f"{tokens:,} tokens")
    if numbers.usd_micros is not None:
        parts.append(f"${numbers.usd_micros / 1_000_000:.2f}")
    parts.append(f"agent {duration(numbers.agent_ms / 1000)}, checks {duration(numbers.checks_ms / 1000)}")
    return " · ".join(parts)
