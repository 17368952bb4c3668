"""Activity: everything that happened, the newest first, by what, who and where."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from locus.server.dashboard.page import Page
from locus.server.dashboard.sentences import sentences
from locus.server.errors import NotFound
from locus.server.events import activity as events, subjects
from locus.server.events.log import Log
from locus.server.sprints import store as sprints
from locus.server.tasks import store as tasks
from locus.wire.events import ActorKind, EventKind

SHOWN = 50
SPRINTS = 30
LARGEST = 2**63 - 1
# What a reader chooses from: the beginnings of kinds.
TOPICS = {
    "task": "Tasks",
    "sprint": "Sprints",
    "plan": "Plans",
    "agent": "Agents",
    "comment": "Comments",
    "doc": "Docs",
    "key": "Keys",
    "workspace": "Workspace",
}

Topic = Annotated[str | None, QueryParameter(max_length=20)]
By = Annotated[str | None, QueryParameter(max_length=20)]
Actor = Annotated[str | None, QueryParameter(max_length=100)]
TaskKey = Annotated[str | None, QueryParameter(max_length=40)]
Sprint = Annotated[str | None, QueryParameter(max_length=40)]
Number = Annotated[int | None, QueryParameter(ge=1, le=LARGEST)]


@get("/w/{workspace:str}/activity")
async def activity(
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    topic: Topic = None,
    by: By = None,
    actor: Actor = None,
    task: TaskKey = None,
    sprint: Sprint = None,
    at: Number = None,
    before: Number = None,
) -> Response[bytes]:
    """A stretch of the event stream; `at` is the number of the event that it begins with."""
    missing = None
    task_id = sprint_id = None
    try:
        task_id = await tasks.find(log.pool, page.id, task) if task else None
        sprint_id = await sprints.find(log.pool, page.id, sprint) if sprint else None
    except NotFound:
        missing = task or sprint
    wanted = events.Filter(
        kinds=[kind for kind in EventKind if kind.value.split(".")[0] == topic] if topic in TOPICS else (),
        actor_kind=ActorKind(by) if by in {kind.value for kind in ActorKind} else None,
        actor=actor or None,
        task_id=task_id,
        sprint_id=sprint_id,
        seq=at,
    )
    found = [] if missing else await events.newest(log.pool, page.id, wanted, below=before, limit=SHOWN + 1)
    names = await subjects.of_events(log.pool, page.id, found[:SHOWN])
    chosen = {"topic": topic, "by": by, "actor": actor, "task": task, "sprint": sprint}
    return page.render(
        "activity/page.html",
        here="activity",
        lines=sentences(found[:SHOWN], names),
        older=found[SHOWN - 1].seq if len(found) > SHOWN else None,
        chosen={name: value or "" for name, value in chosen.items()},
        narrowed=any(chosen.values()),
        missing=missing,
        at=at,
        first=at is None and before is None,
        topics=TOPICS,
        sprints=await sprints.listed(log.pool, page.id, below=None, limit=SPRINTS),
    )


ROUTES = [activity]
