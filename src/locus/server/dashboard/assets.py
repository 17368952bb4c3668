"""Files that pages need: each at an address that changes with their content, so that browsers keep them for ever."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from locus.server.auth.bearer import PUBLIC
from locus.server.errors import NotFound

STATIC = files("locus.server.dashboard") / "static"
TYPES = {
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json",
}
CACHE_FOR_EVER = "public, max-age=31536000, immutable"
TEXT = ("text/", "application/json", "image/svg")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    packed: bytes | None  # with gzip; None where that gains nothing
    media_type: str


@dataclass(frozen=True)
class Assets:
    """Every file below static/. One hash for all of them, so that modules find each other by relative addresses."""

    version: str
    by_path: dict[str, Asset]

    def url(self, path: str) -> str:
        """The address of a file, like `css/tokens.css`. Raises KeyError when there is no such file."""
        if self.find(path) is None:
            raise KeyError(path)
        return f"/static/{self.version}/{path}"

    def find(self, path: str) -> Asset | None:
        """A file, or several style sheets as one: `css/board+task.css`, for each file costs a round trip."""
        return self.by_path.get(path) or (joined(path) if "+" in path else None)


@cache
def load() -> Assets:
    """The files of this installation, read once."""
    digest = hashlib.sha256()
    found: dict[str, Asset] = {}
    for path, body in sorted(_walk(STATIC, "")):
        digest.update(path.encode() + b"\0" + body)
        media_type = TYPES.get(path.rpartition(".")[2]) or mimetypes.guess_type(path)[0] or "text/plain"
        packed = gzip.compress(body, 9, mtime=0) if media_type.startswith(TEXT) else None
        found[path] = Asset(body, packed, media_type)
    return Assets(digest.hexdigest()[:12], found)


@lru_cache(maxsize=64)
def joined(path: str) -> Asset | None:
    """The style sheets that `css/board+task.css` names, in this order; None when one of them is not there."""
    folder, _, names = path.rpartition("/")
    stems, _, kind = names.rpartition(".")
    parts = [load().by_path.get(f"{folder}/{stem}.{kind}") for stem in dict.fromkeys(stems.split("+"))]
    if kind != "css" or not all(parts):
        return None
    body = b"\n".join(part.body for part in parts if part)
    return Asset(body, gzip.compress(body, 9, mtime=0), TYPES[kind])


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _walk(one, f"{prefix}{one.name}/")
        else:
            found.append((prefix + one.name, one.read_bytes()))
    return found


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client takes gzip."""
    return any(
        part.split(";")[0].strip() == "gzip" and "q=0" not in part.replace("q=0.", "")
        for part in accept_encoding.split(",")
    )


@get("/static/{release:str}/{path:path}", opt={PUBLIC: True}, include_in_schema=False)
async def static(release: FromPath[str], path: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file of the dashboard. An address of another release is answered too, but not to be kept."""
    assets = load()
    asset = assets.find(path.lstrip("/"))
    if asset is None:
        raise NotFound
    headers = {
        "Cache-Control": CACHE_FOR_EVER if release == assets.version else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = asset.body
    if asset.packed is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
        body = asset.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)


@get("/favicon.ico", opt={PUBLIC: True}, include_in_schema=False)
async def favicon() -> Response[bytes]:
    """What browsers ask for without being told to."""
    asset = load().by_path["favicon.svg"]
    return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": "public, max-age=86400"})


ROUTES = [static, favicon]
