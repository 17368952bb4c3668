"""How things of the control plane look on a phone: lines of markup. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from locus.local.text import BARS, GLYPHS, WHY, WORDS, ago, duration
from locus.telegram.markup import Line, bold, code, link, plain, prose
from locus.telegram.progress import bar
from locus.wire.agents import Agent, AgentLiveness
from locus.wire.events import ActorKind, Event, EventKind
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.tasks import Comment, CommentKind, Status, Task
from locus.wire.work import Attempt, OutcomeKind

LIVE = {
    AgentLiveness.LIVE: "●",
    AgentLiveness.SILENT: "◌",
    AgentLiveness.PARKED: "◷",
    AgentLiveness.ASLEEP: "☾",
    AgentLiveness.LOST: "✗",
    AgentLiveness.STOPPED: "○",
}
SAID = {
    EventKind.TASK_CREATED: "written",
    EventKind.TASK_CLAIMED: "taken",
    EventKind.TASK_COMPLETED: "finished, for review",
    EventKind.TASK_FAILED: "failed",
    EventKind.TASK_RELEASED: "given back",
    EventKind.TASK_EXPIRED: "given back: its agent is gone",
    EventKind.TASK_CANCEL_REQUESTED: "to be stopped",
    EventKind.TASK_LINKED: "in a pull request",
    EventKind.TASK_EDITED: "edited",
    EventKind.TASK_MOVED: "moved",
    EventKind.TASK_DELETED: "deleted",
    EventKind.COMMENT_ADDED: "commented on",
}


def task_line(task: Task) -> str:
    """A task in one line."""
    mark = BARS[task.priority] if task.status is Status.BACKLOG else GLYPHS[task.status]
    return f"{mark} {code(task.key)} {plain(task.title)}"


def tasks(found: Sequence[Task], *, title: str, most: int, none: str) -> list[Line]:
    """A list of tasks below its title."""
    if not found:
        return [none]
    told: list[Line] = [f"<b>{title}</b>"]
    for task in found[:most]:
        told.append(task_line(task))
        if task.status is Status.BLOCKED and task.blocked_reason is not None:
            told.append(f"      {plain(WHY[task.blocked_reason])}")
    if len(found) > most:
        told.append(f"… and {len(found) - most} more")
    return told


def task(
    shown: Task,
    *,
    sprint: int | None,
    keys: Mapping[UUID, str],
    comments: Sequence[Comment],
    attempts: Sequence[Attempt],
) -> list[Line]:
    """One task with what a person needs to judge it."""
    told: list[Line] = [f"{GLYPHS[shown.status]} {code(shown.key)} {bold(shown.title, most=200)}"]
    state = WORDS[shown.status]
    if shown.blocked_reason is not None:
        state += f": {WHY[shown.blocked_reason]}"
    about = [state, shown.priority.value.lower(), f"sprint {sprint}" if sprint else "no sprint"]
    told.append(plain(" · ".join([*about, *([shown.role.value.lower()] if shown.role else []), *shown.labels])))
    if shown.agent_name and shown.status is Status.IN_PROGRESS:
        told.append(f"{plain(shown.agent_name)}{f' · {shown.phase}' if shown.phase else ''}")
    if shown.depends_on:
        told.append("after " + ", ".join(code(keys.get(one, str(one))) for one in shown.depends_on))
    if shown.description.strip():
        told += ["", *prose(shown.description, most=1200)]
    if shown.checklist:
        told.append("")
        told += [f"{'☑' if item.done else '☐'} {plain(item.text, most=200)}" for item in shown.checklist]
    if attempts:
        told += ["", *(attempt(one) for one in attempts[:3])]
    if shown.pull_request_url:
        told.append(link("Pull request", shown.pull_request_url))
    for comment in comments[-3:]:
        what = "sent it back" if comment.kind is CommentKind.REJECTION else "said"
        told += ["", f"<i>{plain(comment.author_name)} {what}, {ago(comment.created_at)}</i>"]
        told += prose(comment.text, most=600)
    return told


def attempt(one: Attempt) -> str:
    """An attempt in one line: its checks, its size, its cost."""
    if one.outcome is OutcomeKind.COMPLETED:
        head = f"◉ {code((one.commit or '')[:7])}"
    else:
        reason = one.fail_reason or one.release_reason or one.outcome
        head = f"✗ {plain(str(reason).replace('_', ' '))}"
    parts = [head, *evidence(one)]
    return " · ".join([*parts, ago(one.ended_at)])


def evidence(one: Attempt) -> list[str]:
    """What was measured, in a few words each."""
    told = [f"{'✓' if e.passed else '✗'} {plain(e.check)}{f' {e.tests}' if e.tests else ''}" for e in one.evidence]
    numbers = one.numbers
    if numbers is None:
        return told
    if numbers.files:
        told.append(f"{numbers.files} files +{numbers.lines_added} −{numbers.lines_removed}")
    if numbers.usd_micros is not None:
        told.append(f"${numbers.usd_micros / 1e6:.2f}")
    if numbers.total_ms:
        told.append(duration(numbers.total_ms / 1000))
    return told


def sprint(shown: Sprint) -> list[Line]:
    """A sprint with its bar."""
    state = {SprintStatus.ACTIVE: "▶", SprintStatus.PLANNED: "○", SprintStatus.COMPLETED: "✓"}[shown.status]
    told: list[Line] = [f"{state} <b>Sprint {shown.number}</b> · {plain(shown.name)}", bar(shown.tasks)]
    if shown.ends_on:
        told.append(f"ends {shown.ends_on:%d %B}")
    if shown.goal.strip():
        told += prose(shown.goal, most=300)
    return told


def agent_line(agent: Agent) -> str:
    """An agent in one line."""
    about = " ".join(part for part in (agent.provider, agent.model) if part)
    if agent.liveness is AgentLiveness.PARKED and agent.parked_until:
        doing = f"parked until {agent.parked_until.astimezone():%H:%M}"
    elif agent.task_key:
        doing = f"{agent.task_key}{f' {agent.phase}' if agent.phase else ''}"
    else:
        doing = "idle" if agent.liveness is AgentLiveness.LIVE else str(agent.liveness)
    if agent.liveness in (AgentLiveness.SILENT, AgentLiveness.LOST):
        doing += f", last heard of {ago(agent.last_heartbeat_at)}"
    return f"{LIVE[agent.liveness]} {bold(agent.name)} {plain(about)} · {plain(doing)}"


def event_line(event: Event, keys: Mapping[UUID, str], *, now: datetime) -> str:
    """An event in one line."""
    who = "" if event.actor_kind is ActorKind.SYSTEM else f" · {plain(event.actor_name, most=30)}"
    return f"{ago(event.created_at, now=now)}: {_what(event, keys)}{who}"


def _what(event: Event, keys: Mapping[UUID, str]) -> str:
    detail = event.detail
    if event.task_id is not None:
        key = code(keys.get(event.task_id, f"task {detail.number}" if detail.number else "a task"))
        if event.kind is EventKind.TASK_STATUS and detail.status is not None:
            return f"{key} is {WORDS[detail.status]}"
        failed = detail.fail_reason if event.kind is EventKind.TASK_FAILED else None
        why = f": {plain(failed.replace('_', ' '))}" if failed else ""
        return f"{key} {SAID.get(event.kind, plain(event.kind.value))}{why}"
    name, _, verb = event.kind.value.partition(".")
    which = f" {detail.number}" if detail.number else ""
    state = f" ({detail.agent_state})" if detail.agent_state else ""
    title = f" {plain(detail.title, most=60)}" if detail.title else ""
    return f"{name}{which}{title} {verb.replace('_', ' ')}{state}"
