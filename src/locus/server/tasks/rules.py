"""The life of a task: who may turn which status into which, and what a decision needs. Tables and sums, no I/O."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from uuid import UUID

from locus.server.errors import Conflict, Invalid
from locus.wire.events import ActorKind
from locus.wire.tasks import BlockedReason, ChecklistItem, Priority, Status, Task

S = Status

# A person decides; a worker acts through dispatch alone (claim, complete, fail, release); the system is the reaper.
NEXT: Mapping[ActorKind, Mapping[Status, frozenset[Status]]] = {
    ActorKind.PERSON: {
        S.BACKLOG: frozenset({S.IN_PROGRESS, S.DONE, S.BLOCKED}),
        S.IN_PROGRESS: frozenset({S.BACKLOG, S.IN_REVIEW, S.DONE, S.BLOCKED}),
        S.IN_REVIEW: frozenset({S.DONE, S.BACKLOG}),
        S.DONE: frozenset({S.BACKLOG}),
        S.BLOCKED: frozenset({S.BACKLOG, S.DONE}),
    },
    ActorKind.WORKER: {
        S.BACKLOG: frozenset({S.IN_PROGRESS}),
        S.IN_PROGRESS: frozenset({S.IN_REVIEW, S.BACKLOG, S.BLOCKED}),
        S.IN_REVIEW: frozenset(),
        S.DONE: frozenset(),
        S.BLOCKED: frozenset(),
    },
    ActorKind.SYSTEM: {
        S.BACKLOG: frozenset(),
        S.IN_PROGRESS: frozenset({S.BACKLOG, S.BLOCKED}),
        S.IN_REVIEW: frozenset(),
        S.DONE: frozenset(),
        S.BLOCKED: frozenset(),
    },
}

# Work that was shown and is not taken: whoever does it next must learn why.
REJECTIONS = frozenset({(S.IN_REVIEW, S.BACKLOG), (S.DONE, S.BACKLOG)})

# The other reasons are outcomes that dispatch measured; nobody may claim them by hand.
PERSONS_REASONS = frozenset(
    {BlockedReason.MANUAL, BlockedReason.NEEDS_INPUT, BlockedReason.DEPENDENCY, BlockedReason.POLICY}
)

SAID = {
    S.BACKLOG: "in the backlog",
    S.IN_PROGRESS: "in progress",
    S.IN_REVIEW: "in review",
    S.DONE: "done",
    S.BLOCKED: "blocked",
}


def check_transition(actor: ActorKind, current: Status, wanted: Status) -> None:
    """Refuse what the table does not list."""
    if current is wanted:
        raise Conflict(f"The task is already {SAID[current]}.", code="transition_refused")
    if wanted not in NEXT[actor][current]:
        raise Conflict(f"A task that is {SAID[current]} cannot become {SAID[wanted]}.", code="transition_refused")


def check_free(task: Task, wish: str) -> None:
    """Refuse `wish` (a sentence's end, like "move it") while an agent holds the task."""
    if task.agent_id is not None:
        raise Conflict(f"An agent is working on {task.key}. Cancel the work or wait, then {wish}.", code="task_is_held")


def blocked_reason(wanted: Status, given: BlockedReason | None) -> BlockedReason | None:
    """The reason to store when a person asks for `wanted`: `manual` when blocking without saying why."""
    if wanted is not S.BLOCKED:
        if given is not None:
            raise Invalid.field("reason", "belongs to the status BLOCKED only")
        return None
    if given is None:
        return BlockedReason.MANUAL
    if given not in PERSONS_REASONS:
        said = ", ".join(sorted(reason.value for reason in PERSONS_REASONS))
        raise Invalid.field("reason", f"must be one of those people may give: {said}")
    return given


def check_feedback(current: Status, wanted: Status, feedback: str | None) -> None:
    """Refuse a rejection that says nothing: the next attempt would repeat the mistake."""
    if feedback is not None and not feedback.strip():
        raise Invalid.field("feedback", "must say something, or be left out")
    if (current, wanted) in REJECTIONS and feedback is None:
        raise Invalid.field("feedback", "must say what is missing, so that the next attempt knows")


def check_accepted(checklist: Iterable[ChecklistItem], proven: frozenset[str], *, force: bool) -> None:
    """Refuse DONE while an acceptance criterion is open.

    `proven` are the checks that were green for the commit in review: no word of a person replaces them. Items
    that people tick may stay open with `force`.
    """
    items = list(checklist)
    unproven = [item.check for item in items if item.check is not None and item.check not in proven]
    if unproven:
        names = ", ".join(dict.fromkeys(unproven))
        raise Conflict(
            f"The work in review has no green evidence of: {names}. Send it back, or take the check off the checklist.",
            code="checks_unproven",
        )
    unticked = [item for item in items if item.check is None and not item.done]
    if unticked and not force:
        many = "1 item" if len(unticked) == 1 else f"{len(unticked)} items"
        raise Conflict(f"{many} of the checklist not ticked yet. Tick them, or approve with force.", code="items_open")


def cycle(edges: Iterable[tuple[UUID, UUID]], start: UUID) -> list[UUID]:
    """The shortest way from `start` back to it along `edges` (from, to), both ends named; empty if there is none."""
    after: dict[UUID, list[UUID]] = {}
    for here, there in edges:
        after.setdefault(here, []).append(there)
    came_from: dict[UUID, UUID] = {}
    layer = [start]
    while layer:
        following = []
        for here in layer:
            for there in after.get(here, []):
                if there == start:
                    way = [start, here]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return list(reversed(way))
                if there not in came_from:
                    came_from[there] = here
                    following.append(there)
        layer = following
    return []


def places(low: float | None, high: float | None, count: int) -> list[float] | None:
    """`count` growing positions between two neighbours (None: no neighbour on that side).

    None when the gap is used up: doubles have only so many values between two numbers.
    """
    if low is None:
        found = [float(n) for n in range(1, count + 1)] if high is None else [high - n for n in range(count, 0, -1)]
    elif high is None:
        found = [low + n for n in range(1, count + 1)]
    else:
        step = (high - low) / (count + 1)
        found = [low + step * n for n in range(1, count + 1)]
    ladder = [*([] if low is None else [low]), *found, *([] if high is None else [high])]
    if all(one < other for one, other in pairwise(ladder)):
        return found
    return None


def order(task: Task) -> tuple[int, float, bytes]:
    """The key by which tasks are dispatched: priority, then position, then id."""
    return (list(Priority).index(task.priority), task.position, task.id.bytes)
