"""Telegram's HTML as its documentation describes it: a closed list of tags, properly nested, four named entities."""

import re
from html import unescape

TAGS = frozenset({"b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote"})
_PIECE = re.compile(
    r"<(?P<end>/?)(?P<tag>[a-zA-Z0-9-]*)(?P<rest>[^>]*)>|(?P<open><)"
    r"|(?P<entity>&(?:[a-z]+|#\d+|#x[0-9a-fA-F]+);)"
)
ENTITIES = ("&lt;", "&gt;", "&amp;", "&quot;")


class BadMarkup(Exception):
    """Why the entities of a text cannot be parsed."""


def parsed(text: str) -> str:
    """The text without its markup. Raises BadMarkup as the real service would refuse it."""
    told: list[str] = []
    stack: list[str] = []
    last = 0
    for piece in _PIECE.finditer(text):
        told.append(text[last : piece.start()])
        last = piece.end()
        if piece["open"] is not None:
            raise BadMarkup(f"Unexpected end tag at byte offset {piece.start()}")
        entity = piece["entity"]
        if entity is not None:
            told.append(unescape(entity) if entity in ENTITIES or entity[1] == "#" else entity)
        elif piece["end"]:
            if not stack or stack.pop() != piece["tag"]:
                raise BadMarkup(f"Unmatched end tag at byte offset {piece.start()}, found </{piece['tag']}>")
        elif piece["tag"] not in TAGS:
            raise BadMarkup(f'Unsupported start tag "{piece["tag"]}" at byte offset {piece.start()}')
        elif piece["rest"] and not re.fullmatch(r' (?:href|class)="[^"<>]*"| expandable', piece["rest"]):
            raise BadMarkup(f"Unclosed start tag at byte offset {piece.start()}")
        else:
            stack.append(piece["tag"])
    if stack:
        raise BadMarkup(f"Can't find end tag corresponding to start tag {stack[-1]}")
    return "".join([*told, text[last:]])
