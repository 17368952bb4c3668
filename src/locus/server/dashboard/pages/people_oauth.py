"""Signing in with GitHub or Google: to their page and back."""

from typing import Annotated, Any
from urllib.parse import quote, unquote

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from locus.server.auth import sign_in
from locus.server.auth.bearer import PUBLIC
from locus.server.auth.oauth import Providers
from locus.server.auth.sign_in import Door
from locus.server.auth.site import Site
from locus.server.dashboard import alone
from locus.server.dashboard.alone import Next
from locus.server.dashboard.page import AnyRequest
from locus.server.dashboard.pages.people_sign_in import visit_of
from locus.server.db.pool import Pool
from locus.server.errors import NotFound, Refused

COOKIE, NEXT_COOKIE = "locus-oauth", "locus-next"
SECONDS = 600  # for the way to the provider and back

Text = Annotated[str, QueryParameter(max_length=2000)]
State = Annotated[str, QueryParameter(name="state", max_length=2000)]


@get("/sign-in/with/{provider:str}", opt={PUBLIC: True})
async def begin(
    provider: FromPath[str],
    providers: NamedDependency[Providers],
    site: NamedDependency[Site],
    next_: Next = None,
) -> Redirect:
    """Go to the provider."""
    if provider not in providers:
        raise NotFound
    started = providers.start(provider)
    cookies = [
        site.cookie(COOKIE, started.secret, seconds=SECONDS),
        site.cookie(NEXT_COOKIE, quote(alone.within(next_), safe="/"), seconds=SECONDS),
    ]
    return Redirect(started.url, status_code=303, cookies=cookies)


@get("/sign-in/with/{provider:str}/back", opt={PUBLIC: True})
async def back(
    request: AnyRequest,
    provider: FromPath[str],
    pool: NamedDependency[Pool],
    door: NamedDependency[Door],
    site: NamedDependency[Site],
    providers: NamedDependency[Providers],
    given_state: State = "",
    code: Text = "",
) -> Response[bytes]:
    """Come back from the provider, and sign in as whom it vouches for."""
    if provider not in providers:
        raise NotFound
    gone = [site.cookie(COOKIE, "", seconds=0), site.cookie(NEXT_COOKIE, "", seconds=0)]
    there = alone.within(unquote(request.cookies.get(site.named(NEXT_COOKIE), "/")))
    try:
        found = await providers.finish(provider, request.cookies.get(site.named(COOKIE)), given_state, code)
        secret = await sign_in.with_identity(
            pool, door, found.provider, found.subject, found.email, found.name, visit_of(request)
        )
    except Refused as e:
        context: dict[str, Any] = {"next": there, "providers": providers.names, "email": "", "trouble": e.detail}
        return alone.render(request, "people/sign_in.html", status=e.status, cookies=gone, **context)
    return Redirect(there, status_code=303, cookies=[site.signed_in(secret), *gone])


ROUTES = [begin, back]
