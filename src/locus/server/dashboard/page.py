"""The context of a page: who looks, at which workspace, and what the frame around the content shows. Read once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.response import Redirect

from locus.server.auth import bearer
from locus.server.auth.principals import Principal
from locus.server.dashboard import rendering
from locus.server.dashboard.nav import NAV, Entry
from locus.server.dashboard.toast import Toast
from locus.server.dispatch import standing
from locus.server.dispatch.standing import Standing
from locus.server.errors import NotFound
from locus.server.events.log import Actor, Log
from locus.server.settings import Timing
from locus.server.workspaces import store as workspaces
from locus.wire.workspaces import Purpose, Workspace

THEMES = ("light", "dark")
MOST_WORKSPACES = 200  # in the switcher

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every page of a workspace knows. Handlers ask for it as `page: NamedDependency[Page]`."""

    request: AnyRequest
    principal: Principal
    workspace: Workspace
    workspaces: list[Workspace]  # that the reader may enter, oldest first
    standing: Standing  # of the workspace: counts for the frame, and the number of the last event
    csrf: str  # what forms repeat; empty for a caller with an API key

    @property
    def id(self) -> UUID:
        """The workspace's id, the first argument of every store and action."""
        return self.workspace.id

    @property
    def actor(self) -> Actor:
        return Actor.of(self.principal)

    @property
    def fragment(self) -> str | None:
        """The id of the element that the answer replaces; None when a whole page is asked for."""
        return self.request.headers.get("HX-Target") if self.request.headers.get("HX-Request") else None

    @property
    def may_edit(self) -> bool:
        """Whether the reader may change anything; a page shows only what its reader may do."""
        return self.principal.may(Purpose.MEMBER)

    @property
    def may_admin(self) -> bool:
        return self.principal.may(Purpose.ADMIN)

    @property
    def nav(self) -> list[Entry]:
        """The entries of the sidebar that this reader may open."""
        return [entry for entry in NAV if self.principal.may(entry.needs)]

    def url(self, rest: str = "") -> str:
        """An address in this workspace: url("/board")."""
        return address(self.workspace, self.workspaces) + rest

    def require(self, needed: Purpose = Purpose.MEMBER) -> None:
        """Raise Forbidden for a reader who may do less than `needed`."""
        self.principal.enter(self.workspace.id, needed)

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        toast: Toast | None = None,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """The answer: a template with this page as `page` and everything else under its name."""
        said = dict(headers or {})
        if toast is not None:
            said["HX-Trigger"] = toast.header()
        return rendering.html(
            rendering.render(template, page=self, look=look(self.request), csrf=self.csrf, **context),
            status=status,
            accept_encoding=self.request.headers.get("accept-encoding", ""),
            headers=said,
        )

    def go(self, rest: str, *, toast: Toast | None = None) -> Response[Any]:
        """After a change: the page that shows it. A form without script is redirected, htmx is told to go there."""
        if self.fragment is None:
            return Redirect(self.url(rest), status_code=303)
        headers = {"HX-Location": self.url(rest)} | ({"HX-Trigger": toast.header()} if toast else {})
        return Response(b"", status_code=200, media_type="text/html", headers=headers)


@dataclass(frozen=True)
class Look:
    """What a browser remembers about the look, in cookies, so that a page is right from its first paint."""

    theme: str | None  # None: as the system
    folded: bool  # the sidebar shows icons only
    dense: bool


def look(request: AnyRequest) -> Look:
    """How this browser wants pages to look."""
    theme = request.cookies.get("locus-theme")
    return Look(
        theme if theme in THEMES else None,
        request.cookies.get("locus-sidebar") == "folded",
        request.cookies.get("locus-density") == "dense",
    )


def address(workspace: Workspace, among: list[Workspace]) -> str:
    """The address of a workspace: by its prefix, or by its id where another one of the reader has the same prefix."""
    same = sum(one.prefix == workspace.prefix for one in among)
    return f"/w/{workspace.prefix if same <= 1 else workspace.id}"


async def open_page(
    request: AnyRequest,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
) -> Page:
    """The `page` of handlers whose address begins with /w/{workspace:str}.

    Raises:
        NotFound: the reader may enter no such workspace.
    """
    wanted = str(request.path_params["workspace"])
    mine = await workspaces.page(log.pool, principal.workspaces, after=None, limit=MOST_WORKSPACES)
    workspace = named(wanted, mine, principal)
    principal.enter(workspace.id, Purpose.READ)
    return Page(
        request=request,
        principal=principal,
        workspace=workspace,
        workspaces=mine,
        standing=await standing.read(log.pool, workspace.id, timing),
        csrf=bearer.csrf_token(request),
    )


def named(wanted: str, mine: list[Workspace], principal: Principal) -> Workspace:
    """The workspace that an address names by prefix, in any case of letters, or by id."""
    found = [one for one in mine if wanted.upper() == one.prefix or wanted.lower() == str(one.id)]
    found.sort(key=lambda one: one.organization_id != principal.organization_id)
    if not found:
        raise NotFound("There is no such workspace here, or you may not enter it.")
    return found[0]
