"""Text as Telegram shows it: everything from elsewhere escaped, in pages that are short enough and whole.

A message is made of lines; each line has its own markup, opened and closed, so a page may end after any of them.
`Block` is for preformatted text, which may be cut anywhere and is closed and opened again there.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from msgspec import Struct

from locus.local.text import safe

LONGEST = 4096  # UTF-16 units of a message. Telegram counts without markup; here it is counted in, to be certain
TITLE = 120  # characters of somebody's words within a line


class Block(Struct, frozen=True):
    """Lines of output, shown in a fixed width."""

    text: str


Line = str | Block


def plain(text: str, *, most: int = TITLE) -> str:
    """Somebody's words within a line: harmless, cut, escaped, in this order."""
    said = safe(text).strip()
    return escape(said if len(said) <= most else said[: most - 1].rstrip() + "…", quote=True)


def bold(text: str, *, most: int = TITLE) -> str:
    return f"<b>{plain(text, most=most)}</b>"


def code(text: str, *, most: int = TITLE) -> str:
    return f"<code>{plain(text, most=most)}</code>"


def link(text: str, url: str) -> str:
    """A link; what is not an address of the web stays text."""
    if not re.fullmatch(r"https?://[^\s\"'<>]{1,500}", url):
        return plain(text)
    return f'<a href="{escape(url, quote=True)}">{plain(text)}</a>'


def prose(text: str, *, most: int = 3000) -> list[str]:
    """Somebody's words of several lines, as lines of a message."""
    said = safe(text, lines=True).strip()
    if len(said) > most:
        said = said[: most - 1].rstrip() + "…"
    return [escape(line, quote=True) for line in said.split("\n")]


def length(text: str) -> int:
    """How long Telegram finds a text: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pages(lines: Iterable[Line], *, longest: int = LONGEST) -> list[str]:
    """The messages that these lines fill, each at most `longest` and with its markup whole."""
    done: list[str] = []
    page: list[str] = []
    room = longest
    for piece in _pieces(lines, longest):
        size = length(piece) + 1
        if page and size > room:
            done.append("\n".join(page))
            page, room = [], longest
        page.append(piece)
        room -= size
    if page:
        done.append("\n".join(page))
    # A message of nothing but blanks is refused.
    return [page for page in done if page.strip()]


def tail(text: str, *, most: int) -> str:
    """The end of an output, from the beginning of a line, with a mark where the rest was."""
    said = safe(text, lines=True).rstrip()
    if len(said) <= most:
        return said
    cut = said[-most:]
    return "…\n" + (cut.split("\n", 1)[1] if "\n" in cut[:-1] else cut)


def _pieces(lines: Iterable[Line], longest: int) -> Iterable[str]:
    for line in lines:
        if isinstance(line, Block):
            yield from _blocks(line.text, longest)
        elif length(line) < longest:
            yield line
        else:
            # Nothing of ours makes such a line; cut what is left of it when its markup is gone.
            yield from _cut(re.sub(r"<[^>]*>", "", line), longest - 1)


def _blocks(text: str, longest: int) -> Iterable[str]:
    room = longest - length("<pre></pre>") - 1
    part: list[str] = []
    used = 0
    for line in safe(text, lines=True).strip("\n").split("\n"):
        for piece in _cut(escape(line, quote=True), room):
            size = length(piece) + 1
            if part and used + size > room:
                yield f"<pre>{_body(part)}</pre>"
                part, used = [], 0
            part.append(piece)
            used += size
    if part and any(piece.strip() for piece in part):
        yield f"<pre>{_body(part)}</pre>"


def _body(lines: Sequence[str]) -> str:
    return "\n".join(lines)


def _cut(escaped: str, room: int) -> Iterable[str]:
    """An escaped text in pieces of at most `room` units; no entity and no pair of surrogates is torn."""
    piece, used = "", 0
    for token in re.findall(r"&[a-z#0-9]+;|.", escaped, re.DOTALL) or [""]:
        size = length(token)
        if piece and used + size > room:
            yield piece
            piece, used = "", 0
        piece += token
        used += size
    yield piece
