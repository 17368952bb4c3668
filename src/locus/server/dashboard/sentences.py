"""Events as sentences: who did what to what, and which mark stands before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from locus.server.dashboard import words
from locus.server.events.subjects import Subjects
from locus.wire.agents import AgentState
from locus.wire.events import ActorKind, Event, EventDetail, EventKind
from locus.wire.tasks import CommentKind, Status

K = EventKind

# The words between the actor and the subject.
SAID = {
    K.WORKSPACE_CREATED: "made the workspace",
    K.WORKSPACE_EDITED: "changed the settings of the workspace",
    K.KEY_CREATED: "made the key",
    K.KEY_REVOKED: "revoked the key",
    K.SPRINT_CREATED: "planned",
    K.SPRINT_EDITED: "edited",
    K.SPRINT_STARTED: "started",
    K.SPRINT_COMPLETED: "completed",
    K.SPRINT_DELETED: "deleted",
    K.TASK_CREATED: "created",
    K.TASK_EDITED: "edited",
    K.TASK_MOVED: "moved",
    K.TASK_DELETED: "deleted",
    K.TASK_CLAIMED: "took",
    K.TASK_COMPLETED: "handed in",
    K.TASK_FAILED: "failed on",
    K.TASK_RELEASED: "gave back",
    K.TASK_EXPIRED: "took back",
    K.TASK_CANCEL_REQUESTED: "asked to stop the work on",
    K.TASK_LINKED: "linked the pull request of",
    K.COMMENT_ADDED: "commented on",
    K.DOC_CREATED: "wrote",
    K.DOC_EDITED: "edited",
    K.DOC_DELETED: "deleted",
    K.PLAN_PROPOSED: "proposed the plan",
    K.PLAN_APPROVED: "approved the plan",
    K.PLAN_REJECTED: "rejected the plan",
    K.PLAN_CANCELLED: "gave up the plan",
    K.AGENT_REGISTERED: "came to work",
}
DECIDED = {
    Status.DONE: "accepted",
    Status.BACKLOG: "put back into the backlog",
    Status.IN_PROGRESS: "began to work on",
    Status.IN_REVIEW: "handed in",
    Status.BLOCKED: "blocked",
}
FELL = {
    AgentState.IDLE: "waits for work",
    AgentState.WORKING: "works",
    AgentState.PARKED: "waits for its usage limit to end",
    AgentState.ASLEEP: "woke up: its machine was asleep",
    AgentState.STOPPED: "stopped",
}
ICONS = {
    "workspace": "settings",
    "key": "key-round",
    "sprint": "flag",
    "plan": "list-checks",
    "task": "square",
    "comment": "message-square",
    "doc": "file-text",
    "agent": "bot",
}
FIELDS = {
    "sprint_id": "sprint",
    "parent_id": "parent",
    "depends_on": "dependencies",
    "doc_ids": "docs",
    "due_on": "due date",
    "starts_on": "start",
    "ends_on": "end",
    "daily_budget_usd_micros": "budget",
    "budget_stops": "what a spent budget does",
    "summaries": "whether agents send summaries",
}


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One line of activity. `path` is where its subject is, below the workspace."""

    seq: int
    at: datetime
    icon: str
    tone: str
    actor: str
    by_agent: bool
    by_system: bool
    said: str
    subject: str = ""
    title: str = ""
    path: str | None = None
    more: str = ""


def sentences(events: Sequence[Event], subjects: Subjects) -> list[Sentence]:
    """Each event as a sentence, in their order."""
    return [sentence(event, subjects) for event in events]


def sentence(event: Event, subjects: Subjects) -> Sentence:
    subject, title, path = named(event, subjects)
    status = event.detail.status
    shows_status = event.kind.value.startswith("task.") and status is not None and event.detail.previous is not None
    return Sentence(
        seq=event.seq,
        at=event.created_at,
        icon=ICONS.get(event.kind.value.split(".")[0], "activity"),
        tone=words.TONE[status] if shows_status and status else "idle",
        actor=event.actor_name,
        by_agent=event.actor_kind is ActorKind.WORKER,
        by_system=event.actor_kind is ActorKind.SYSTEM,
        said=verb(event),
        subject=subject,
        title=title,
        path=path,
        more=more(event.detail),
    )


def verb(event: Event) -> str:
    detail = event.detail
    if event.kind is K.TASK_STATUS and detail.status is not None:
        if detail.previous is Status.IN_REVIEW and detail.status is Status.BACKLOG:
            return "sent back"
        return DECIDED[detail.status]
    if event.kind is K.COMMENT_ADDED and detail.comment_kind is CommentKind.REJECTION:
        return "gave feedback on"
    if event.kind is K.AGENT_STATE and detail.agent_state in {state.value for state in AgentState}:
        return FELL[AgentState(detail.agent_state)]
    return SAID.get(event.kind, words.plain(event.kind.value))


def named(event: Event, subjects: Subjects) -> tuple[str, str, str | None]:
    """The subject's short name, its title and its place; what has been deleted has a name from the event alone."""
    detail = event.detail
    area = event.kind.value.split(".")[0]
    if event.task_id is not None:
        task = subjects.tasks.get(event.task_id)
        if task is not None:
            return task.key, task.title, f"/tasks/{task.key}"
        return "a task", detail.title or "", None
    if area == "sprint" and event.sprint_id is not None:
        sprint = subjects.sprints.get(event.sprint_id)
        if sprint is not None:
            return f"sprint {sprint.number}", sprint.name, f"/sprints/{sprint.number}"
        return f"sprint {detail.number or ''}".strip(), detail.title or "", None
    if area == "doc":
        gone = event.kind is K.DOC_DELETED or detail.doc_id is None
        return detail.title or "a doc", "", None if gone else f"/docs/{detail.doc_id}"
    if area == "plan" and detail.plan_id is not None:
        return detail.title or "a plan", "", f"/plans/{detail.plan_id}"
    if area == "agent":
        return "", "", None if detail.agent_id is None else agent_path(detail.agent_id)
    return "", detail.title or "", None


def agent_path(agent_id: UUID) -> str:
    return f"/agents/{agent_id}"


def more(detail: EventDetail) -> str:
    """What the event tells beside its verb."""
    said = []
    if detail.fields:
        said.append(", ".join(FIELDS.get(name, words.plain(name)) for name in detail.fields))
    if detail.blocked_reason is not None:
        said.append(words.BLOCKED[detail.blocked_reason].lower())
    if detail.fail_reason is not None:
        said.append(words.FAILED.get(detail.fail_reason, words.plain(detail.fail_reason.value)))
    if detail.release_reason is not None:
        said.append(words.RELEASED[detail.release_reason])
    if detail.commit is not None:
        said.append(detail.commit[:8])
    return " · ".join(said)
