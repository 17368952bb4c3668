"""Every page, on one router: forms instead of JSON, and refusals that people can read."""

from typing import TYPE_CHECKING, cast

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from locus.server.dashboard import assets, forms, refusals
from locus.server.dashboard.page import open_page
from locus.server.dashboard.pages import (
    activity,
    agents,
    backlog,
    board,
    board_move,
    design,
    docs,
    home,
    overview,
    people,
    plans,
    search,
    settings,
    sprints,
    task,
    task_decide,
    task_edit,
    task_new,
)
from locus.server.settings import Settings

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

# A page is a module with ROUTES; it needs a line here and, when it belongs into the sidebar, one in nav.py.
PAGES = [
    *people.ROUTES,
    *home.ROUTES,
    *board.ROUTES,
    *board_move.ROUTES,
    *task_new.ROUTES,
    *task.ROUTES,
    *task_edit.ROUTES,
    *task_decide.ROUTES,
    *overview.ROUTES,
    *backlog.ROUTES,
    *sprints.ROUTES,
    *plans.ROUTES,
    *docs.ROUTES,
    *agents.ROUTES,
    *activity.ROUTES,
    *search.ROUTES,
    *settings.ROUTES,
]


def router(options: Settings) -> Router:
    """The dashboard, to be mounted at the root."""
    handlers = [*PAGES, *assets.ROUTES, *(design.ROUTES if options.development else [])]
    return Router(
        "/",
        route_handlers=cast("list[ControllerRouterHandler]", handlers),
        dependencies={"page": Provide(open_page)},
        before_request=forms.checks(options.body_seconds),
        exception_handlers={HTTPException: refusals.answer, Exception: refusals.answer},
        include_in_schema=False,
    )
