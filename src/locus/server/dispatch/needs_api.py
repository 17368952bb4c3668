"""The route of what waits for people."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.auth.principals import Principal
from locus.server.dispatch import needs
from locus.server.events.log import Log
from locus.server.http.paging import Limit
from locus.wire.reports import Needs
from locus.wire.workspaces import Purpose


@get("/workspaces/{workspace_id:uuid}/needs", operation_id="list_needs", tags=["dispatch"])
async def list_needs(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
) -> Needs:
    """List what waits for a person: plans, reviews, held and blocked tasks, parked agents, a spent budget."""
    principal.enter(workspace_id, Purpose.READ)
    return await needs.of_workspace(log.pool, workspace_id, limit=limit)


ROUTES = [list_needs]
