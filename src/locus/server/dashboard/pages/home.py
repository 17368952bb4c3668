"""The first address: it leads to a workspace."""

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Redirect

from locus.server.auth.bearer import NEWCOMERS
from locus.server.auth.principals import Principal
from locus.server.dashboard.page import AnyRequest, address
from locus.server.errors import NotFound
from locus.server.events.log import Log
from locus.server.workspaces import store


@get("/", opt={NEWCOMERS: True})
async def home(request: AnyRequest, log: NamedDependency[Log]) -> Redirect:
    """Go to the reader's first workspace; somebody without one goes to the first steps."""
    principal: Principal | None = request.scope.get("user")
    if principal is None or (principal.is_person and not principal.workspaces):
        return Redirect("/welcome", status_code=303)
    mine = await store.page(log.pool, principal.workspaces, after=None, limit=1)
    if not mine:
        raise NotFound("You have no workspace yet.")
    return Redirect(address(mine[0], mine), status_code=303)


ROUTES = [home]
