"""Tasks and sprints as a terminal shows them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from locus.cli.output import Cell, Column, Output
from locus.cli.text import BARS, GLYPHS, STYLES, WORDS, ago, duration
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.tasks import AuthorKind, Comment, CommentKind, Status, Task
from locus.wire.work import Attempt

SPRINT_GLYPHS = {SprintStatus.PLANNED: "○", SprintStatus.ACTIVE: "◐", SprintStatus.COMPLETED: "✓"}
SPRINT_STYLES = {SprintStatus.PLANNED: "", SprintStatus.ACTIVE: "blue", SprintStatus.COMPLETED: "green"}

UNVERIFIED = "the agent's words, unverified"


def show_tasks(out: Output, tasks: Sequence[Task], sprints: Mapping[UUID, int]) -> None:
    """A table of tasks in the order given; `sprints` are numbers by id."""
    out.table(
        [
            Column("KEY"),
            Column("STATUS"),
            Column("P"),
            Column("SPRINT", right=True),
            Column("TITLE", grows=True),
            Column("NOTE"),
        ],
        [
            [
                Cell(task.key, "bold"),
                Cell(f"{GLYPHS[task.status]} {WORDS[task.status]}", STYLES[task.status]),
                BARS[task.priority] if out.terminal else task.priority.value.lower(),
                str(sprints.get(task.sprint_id, "?")) if task.sprint_id else "–",
                task.title,
                Cell(note(task), "dim"),
            ]
            for task in tasks
        ],
    )


def note(task: Task) -> str:
    """What is worth knowing beside the status, in a few words."""
    if task.status is Status.BLOCKED and task.blocked_reason:
        return task.blocked_reason.value.replace("_", " ")
    if task.cancel_requested:
        return "is being cancelled"
    if task.agent_name:
        return f"{task.agent_name}, {task.phase.value}" if task.phase else task.agent_name
    said = [f"for {task.assignee}"] if task.assignee else []
    if task.status is Status.BACKLOG and task.attempts:
        said.append(f"attempt {task.attempts} of {task.attempt_cap} failed")
    if task.checklist and task.status is not Status.DONE:
        said.append(f"{sum(item.done for item in task.checklist)}/{len(task.checklist)} ticked")
    return ", ".join(said)


def show_task(
    out: Output,
    task: Task,
    *,
    sprint: int | None,
    others: Mapping[UUID, str],
    comments: Sequence[Comment],
    attempts: Sequence[Attempt],
) -> None:
    """One task in full; `others` are the keys of the tasks it names."""
    out.line(Cell(task.key, "bold"), "  ", task.title)
    out.line(
        Cell(f"{GLYPHS[task.status]} {WORDS[task.status]}", STYLES[task.status]),
        f" · {task.priority.value.lower()} · ",
        f"sprint {sprint}" if sprint else "in no sprint",
        f" · changed {ago(task.updated_at)}",
    )
    facts = {
        "why": note(task) if task.status is Status.BLOCKED or task.agent_name else "",
        "role": task.role.value.lower() if task.role else "",
        "labels": ", ".join(task.labels),
        "for": task.assignee or "",
        "due": task.due_on.isoformat() if task.due_on else "",
        "after": ", ".join(others.get(one, str(one)) for one in task.depends_on),
        "part of": others.get(task.parent_id, str(task.parent_id)) if task.parent_id else "",
        "commit": task.commit or "",
        "branch": task.branch or "",
        "pull request": task.pull_request_url or "",
    }
    width = max((len(name) for name, value in facts.items() if value), default=0)
    for name, value in facts.items():
        if value:
            out.line(Cell(f"{name:<{width}}  ", "dim"), value)
    if task.description:
        out.line()
        out.text(task.description)
    if task.checklist:
        _title(out, "Checklist")
        for number, item in enumerate(task.checklist, start=1):
            check = f"  (check `{item.check}`)" if item.check else ""
            out.line(Cell("✓ " if item.done else "○ ", "green" if item.done else ""), f"{number}. {item.text}{check}")
    if attempts:
        _title(out, "Attempts")
        _show_attempts(out, attempts)
    if comments:
        _title(out, "Comments")
        for comment in comments:
            who = comment.author_name + (" (agent)" if comment.author_kind is AuthorKind.WORKER else "")
            kind = "Rejected" if comment.kind is CommentKind.REJECTION else "Written"
            out.line(Cell(f"{kind} {ago(comment.created_at)} by {who}", "dim"))
            out.text(comment.text)


def _show_attempts(out: Output, attempts: Sequence[Attempt]) -> None:
    out.table(
        [Column("#", right=True), Column("OUTCOME"), Column("AGENT"), Column("CHECKS"), Column("TOOK", right=True)],
        [
            [
                str(attempt.fence),
                _ending(attempt),
                attempt.agent_name or "–",
                " ".join(f"{'✓' if e.passed else '✗'} {e.check}" for e in attempt.evidence) or "–",
                duration((attempt.ended_at - attempt.claimed_at).total_seconds()),
            ]
            for attempt in attempts
        ],
    )
    for attempt in attempts:
        if attempt.summary:
            out.line(Cell(f"#{attempt.fence}: {UNVERIFIED}", "dim"))
            out.text(attempt.summary)


def _ending(attempt: Attempt) -> str:
    reason = attempt.fail_reason or attempt.release_reason
    return f"{attempt.outcome.value}: {reason.value.replace('_', ' ')}" if reason else attempt.outcome.value


def show_sprints(out: Output, sprints: Sequence[Sprint]) -> None:
    """A table of sprints in the order given."""
    out.table(
        [
            Column("#", right=True),
            Column("STATUS"),
            Column("NAME", grows=True),
            Column("DONE", right=True),
            Column("REVIEW", right=True),
            Column("BLOCKED", right=True),
            Column("TASKS", right=True),
        ],
        [
            [
                Cell(str(sprint.number), "bold"),
                Cell(f"{SPRINT_GLYPHS[sprint.status]} {sprint.status.value.lower()}", SPRINT_STYLES[sprint.status]),
                sprint.name,
                str(sprint.tasks.done),
                str(sprint.tasks.in_review),
                str(sprint.tasks.blocked),
                str(total(sprint)),
            ]
            for sprint in sprints
        ],
    )


def total(sprint: Sprint) -> int:
    """How many tasks a sprint has."""
    counts = sprint.tasks
    return counts.backlog + counts.in_progress + counts.in_review + counts.done + counts.blocked


def show_sprint(out: Output, sprint: Sprint) -> None:
    """One sprint in full, without its tasks."""
    counts = sprint.tasks
    out.line(Cell(f"Sprint {sprint.number}", "bold"), "  ", sprint.name)
    out.line(
        Cell(f"{SPRINT_GLYPHS[sprint.status]} {sprint.status.value.lower()}", SPRINT_STYLES[sprint.status]),
        f" · {counts.backlog} backlog · {counts.in_progress} working · {counts.in_review} review",
        f" · {counts.done} done · {counts.blocked} blocked",
    )
    if sprint.starts_on or sprint.ends_on:
        out.line(Cell("planned  ", "dim"), f"{sprint.starts_on or '…'} to {sprint.ends_on or '…'}")
    if sprint.goal:
        out.line()
        out.text(sprint.goal)


def _title(out: Output, title: str) -> None:
    out.line()
    out.line(Cell(title, "bold"))
