"""Search: a page of its own, and what the palette shows while somebody types."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from locus.server.dashboard.page import Page
from locus.server.events.log import Log
from locus.server.search import store
from locus.wire.reports import Found, FoundKind

ON_PAGE, IN_PALETTE = 50, 12

Text = Annotated[str | None, QueryParameter(max_length=200)]


@get("/w/{workspace:str}/search")
async def search(page: NamedDependency[Page], log: NamedDependency[Log], text: Text = None) -> Response[bytes]:
    """Tasks, docs and sprints that have the words."""
    found = await store.find(log.pool, page.id, text or "", limit=ON_PAGE)
    return page.render("search/page.html", here="search", text=text or "", found=found, path=path)


@get("/w/{workspace:str}/search/palette")
async def palette(page: NamedDependency[Page], log: NamedDependency[Log], text: Text = None) -> Response[bytes]:
    """The same as options of a list."""
    found = await store.find(log.pool, page.id, text or "", limit=IN_PALETTE)
    return page.render("search/options.html", text=text or "", found=found, path=path)


def path(found: Found) -> str:
    """Where it is, below the workspace."""
    match found.kind:
        case FoundKind.TASK:
            return f"/tasks/{found.key}"
        case FoundKind.SPRINT:
            return f"/sprints/{found.number}"
        case FoundKind.DOC:
            return f"/docs/{found.id}"


ROUTES = [search, palette]
