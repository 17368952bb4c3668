"""The API's own reference: its description as JSON, and a page that shows it without reaching any other server."""

from importlib.resources import files

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.errors import NotFound
from locus.server.http.openapi import describe
from locus.server.http.requests import Request

STATIC = files("locus.server") / "static"
ASSETS = {
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "api-docs.js": ("api-docs.js", "text/javascript; charset=utf-8"),
}
# Only what this server itself serves; no script in the page, and no address but this server's.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PUBLIC = {"public": True}


@get("/api/openapi.json", opt=PUBLIC, include_in_schema=False)
async def description(request: Request, version: NamedDependency[str]) -> Response[bytes]:
    """The description of the API, made when it is first asked for."""
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = describe(request.app, version)
    return Response(state["openapi"], media_type="application/json", headers={"Cache-Control": "no-cache"})


@get("/api/docs", opt=PUBLIC, include_in_schema=False)
async def page() -> Response[bytes]:
    """The page."""
    html = (STATIC / "api-docs.html").read_bytes()
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response(html, media_type="text/html; charset=utf-8", headers=headers)


@get("/api/docs/{name:str}", opt=PUBLIC, include_in_schema=False)
async def asset(name: FromPath[str]) -> Response[bytes]:
    """A file of the page; there are no others."""
    if name not in ASSETS:
        raise NotFound
    path, media_type = ASSETS[name]
    return Response((STATIC / path).read_bytes(), media_type=media_type, headers={"Cache-Control": "max-age=3600"})


ROUTES = [description, page, asset]
