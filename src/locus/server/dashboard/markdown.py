"""Markdown that people and tasks bring, as HTML that can do nothing."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

LONGEST = 1 << 20  # characters; a doc's text has at most as many
TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "del", "code", "pre", "blockquote", "a", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "code": {"class"}, "ol": {"start"}, "th": {"align"}, "td": {"align"}}
SCHEMES = {"http", "https", "mailto"}


def _parser() -> MarkdownIt:
    # Raw HTML stays text. Images would be requests to servers of others: they become links.
    made = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": False})
    made.enable(["table", "strikethrough", "linkify"])
    made.core.ruler.push("images_are_links", _images_to_links)
    return made


def _images_to_links(state: object) -> None:
    for token in getattr(state, "tokens", []):
        if token.type == "inline" and token.children:
            token.children = [part for child in token.children for part in _without_image(child)]


def _without_image(token: Token) -> list[Token]:
    if token.type != "image":
        return [token]
    opening = Token("link_open", "a", 1, attrs={"href": str(token.attrs.get("src", ""))})
    text = Token("text", "", 0, content=token.content or "image")
    return [opening, text, Token("link_close", "a", -1)]


PARSER = _parser()


@lru_cache(maxsize=512)
def rendered(text: str) -> Markup:
    """The text as HTML. Nothing in it runs, loads, looks like ours or leaves the page without a click."""
    clean = nh3.clean(
        PARSER.render(text[:LONGEST]),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return Markup(clean)  # noqa: S704  # this is the one place where it is made safe
