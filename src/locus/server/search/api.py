"""The route of search."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from locus.server.auth.principals import Principal
from locus.server.events.log import Log
from locus.server.http.paging import Limit
from locus.server.search import store
from locus.wire.reports import FoundList
from locus.wire.workspaces import Purpose

Text = Annotated[
    str, QueryParameter(min_length=1, max_length=200, description="Part of a title, a text, or the key of a task.")
]


@get("/workspaces/{workspace_id:uuid}/search", operation_id="search", tags=["search"])
async def search(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    text: Text,
    limit: Limit = 20,
) -> FoundList:
    """Find tasks, docs and sprints, the best matches first."""
    principal.enter(workspace_id, Purpose.READ)
    return FoundList(items=await store.find(log.pool, workspace_id, text, limit=limit))


ROUTES = [search]
