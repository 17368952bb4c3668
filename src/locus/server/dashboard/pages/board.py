"""The board: tasks in columns by status, in the order in which agents take them."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from locus.server.dashboard.page import Page
from locus.server.dashboard.pages import board_filter
from locus.server.dashboard.pages.board_filter import Group
from locus.server.events.log import Log
from locus.server.settings import Timing
from locus.server.sprints import store as sprints
from locus.server.tasks import cards, rules
from locus.wire.events import ActorKind
from locus.wire.tasks import Priority, Role, Status

SPRINTS = 30  # that the choice offers, the newest first
COLUMNS = (Status.BACKLOG, Status.IN_PROGRESS, Status.BLOCKED, Status.IN_REVIEW, Status.DONE)
# What an empty column says; the first step of a newcomer is taught by the page when there is no task at all.
NOTHING = {
    Status.BACKLOG: "Nothing left to take",
    Status.IN_PROGRESS: "Nobody is at work",
    Status.BLOCKED: "Nothing is stuck",
    Status.IN_REVIEW: "Nothing to review",
    Status.DONE: "Nothing done yet",
}


@get("/w/{workspace:str}/board")
async def board(
    page: NamedDependency[Page], log: NamedDependency[Log], timing: NamedDependency[Timing]
) -> Response[bytes]:
    """The board that the address asks for."""
    wish = board_filter.read(page.request.query_params)
    active = page.standing.sprint_number
    async with log.pool.acquire() as db:
        found = await cards.board(db, page.id, wish.filter(active), timing)
        offered = await sprints.listed(db, page.id, below=None, limit=SPRINTS)
        labels = await cards.labels(db, page.id)
        assignees = await cards.assignees(db, page.id)
    shown = [status for status in COLUMNS if not wish.status or status in wish.status]
    context: dict[str, Any] = {
        "lanes": board_filter.lanes(found.cards, wish.group),
        "may_become": {one: sorted(rules.NEXT[ActorKind.PERSON][one]) for one in Status},
    }
    return page.render(
        "board/board.html",
        wish=wish,
        active=active,
        columns=shown,
        many=found.many,
        total=found.total,
        sprints=offered,
        labels=labels,
        assignees=assignees,
        nothing=NOTHING,
        priorities=list(Priority),
        roles=list(Role),
        statuses=list(COLUMNS),
        groups=[(Group.NONE, "No groups"), *((one, one.value.capitalize()) for one in Group if one)],
        **context,
    )


ROUTES = [board]
