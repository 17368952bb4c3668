"""What a page answers to a form that has changed something: a toast for script, the page itself without."""

import json
from typing import Any

from litestar import Response

from locus.server.dashboard.page import Page
from locus.server.dashboard.toast import Toast


def done(page: Page, rest: str, toast: Toast, **heard: object) -> Response[Any]:
    """It is done. With script the page stays and follows the events; without, the reader goes to `rest`.

    `heard` are further events for script, by their names after `locus:`, with what they tell.
    """
    if page.request.headers.get("HX-Request") is None:
        return page.go(rest)
    triggers = {**json.loads(toast.header()), "locus:done": True}
    triggers |= {f"locus:{name}": detail for name, detail in heard.items()}
    return Response(b"", status_code=204, headers={"HX-Trigger": json.dumps(triggers)})


def gone(page: Page, rest: str, toast: Toast) -> Response[Any]:
    """It is done, and the reader goes on to `rest`: this page is not there any more, or is another one now."""
    if page.request.headers.get("HX-Request") is None:
        return page.go(rest)
    headers = {"HX-Redirect": page.url(rest), "HX-Trigger": toast.header()}
    return Response(b"", status_code=200, media_type="text/html", headers=headers)


def told(page: Page, rest: str, triggers: dict[str, object]) -> Response[Any]:
    """Nothing is done yet: script hears these events, without it the reader goes to `rest`."""
    if page.request.headers.get("HX-Request") is None:
        return page.go(rest)
    return Response(b"", status_code=204, headers={"HX-Trigger": json.dumps(triggers)})
