"""Templates to pages: one environment that escapes everything, and the headers that every page has."""

import gzip
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from locus.server.dashboard import assets, words
from locus.server.dashboard.markdown import rendered

# Only what this server itself serves. No inline script, no inline style, no other address.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PACKED_FROM = 1_024  # bytes; below, packing gains nothing


@cache
def environment() -> Environment:
    """The templates with everything that they may call."""
    made = Environment(
        loader=PackageLoader("locus.server.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        extensions=["jinja2.ext.do"],
    )
    made.globals.update(icon=icon, asset=assets.load().url, words=words)
    made.filters.update(
        ago=words.ago,
        exact=words.exact,
        duration=words.duration,
        clock=words.clock,
        about=words.about,
        usd=words.usd,
        amount=words.amount,
        day=words.day,
        plural=words.plural,
        markdown=rendered,
        data=data,
    )
    return made


@cache
def icon(name: str, label: str = "") -> Markup:
    """A picture of a line; `label` is what it says to people who do not see it, none when text stands beside it."""
    drawing = _drawings()[name]
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" viewBox="0 0 24 24" {}>{}</svg>').format(said, Markup(drawing))  # noqa: S704  # ours


@cache
def _drawings() -> dict[str, str]:
    drawings: dict[str, str] = json.loads(assets.load().by_path["vendor/icons.json"].body)
    return drawings


def data(value: object) -> str:
    """A value as the JSON of a data attribute; the template escapes it."""
    return json.dumps(value, separators=(",", ":"), default=str)


def render(template: str, **context: Any) -> str:
    """The text of a template."""
    return environment().get_template(template).render(**context)


def html(
    text: str,
    *,
    status: int = 200,
    accept_encoding: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: list[Cookie] | None = None,
) -> Response[bytes]:
    """A page, or a part of one, as an answer."""
    body = text.encode()
    said = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Vary": "Accept-Encoding, HX-Request"}
    if len(body) >= PACKED_FROM and assets.accepts_gzip(accept_encoding):
        body = gzip.compress(body, 5, mtime=0)
        said["Content-Encoding"] = "gzip"
    return Response(
        body,
        status_code=status,
        media_type="text/html",
        headers={**said, **(headers or {})},
        cookies=cookies or [],
    )
