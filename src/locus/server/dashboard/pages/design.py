"""The design system on one page, for those who build pages. Served in development only."""

from litestar import Response, get

from locus.server.auth.bearer import PUBLIC
from locus.server.dashboard import rendering
from locus.server.dashboard.page import AnyRequest, look
from locus.wire.agents import AgentLiveness
from locus.wire.tasks import Priority, Status


@get("/design", opt={PUBLIC: True})
async def design(request: AnyRequest) -> Response[bytes]:
    """Every token, mark and control, in both themes."""
    text = rendering.render(
        "design.html",
        look=look(request),
        csrf="",
        statuses=list(Status),
        priorities=list(Priority),
        states=list(AgentLiveness),
    )
    return rendering.html(text, accept_encoding=request.headers.get("accept-encoding", ""))


ROUTES = [design]
