"""What is kept of one file's content: its definitions, the identifiers it has, and its words.

Runs in a child (`parsing.py` starts it): the grammars are C, and what they read may have been written to hurt them.
"""

# No `from __future__ import annotations`: msgspec reads them.

import re
import sys
from collections import Counter
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from locus.local.codemap.languages import BY_NAME

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

MOST_SYMBOLS = 2_000  # of one file
MOST_IDENTIFIERS = 5_000  # of one file; the most frequent are kept
MOST_REPEATS = 4  # of one word: how often it is said beyond that tells nothing more
SIGNATURE = 120  # characters
MEMORY = 2 << 30  # bytes a child may have
LONG_LINES = 400  # bytes; a file whose lines are longer on average was written by a program

IDENTIFIER = re.compile(r"[^\W\d]\w{1,63}")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
GENERATED, BINARY, UNREADABLE = "generated", "binary", "unreadable"


class Symbol(Struct, array_like=True, frozen=True):
    """A definition. `depth` counts the definitions that it stands in."""

    name: str
    kind: str
    line: int
    depth: int
    signature: str


class Digest(Struct, array_like=True, frozen=True):
    """What is kept of a content. `note` says why there is nothing but a name."""

    lines: int = 0
    symbols: list[Symbol] = []
    identifiers: list[str] = []
    names: str = ""
    words: str = ""
    note: str | None = None


class Source(Struct, array_like=True, frozen=True):
    """A content to be read as one of the languages of `languages.language_of`."""

    language: str
    content: bytes


def digest(source: Source) -> Digest:
    """Read one content."""
    content = source.content
    if b"\0" in content[:8192]:
        return Digest(note=BINARY)
    lines = content.count(b"\n") + 1
    if len(content) / lines > LONG_LINES:
        return Digest(lines=lines, note=GENERATED)
    symbols = _symbols(source)
    counted = Counter(IDENTIFIER.findall(content.decode("utf-8", "replace")))
    words: Counter[str] = Counter()
    for identifier, count in counted.items():
        for word in split(identifier):
            words[word] += count
    return Digest(
        lines=lines,
        symbols=symbols,
        identifiers=[name for name, _ in counted.most_common(MOST_IDENTIFIERS) if len(name) > 2],
        names=" ".join(word for symbol in symbols for word in split(symbol.name)),
        words=" ".join(word for word, count in words.items() for _ in range(min(count, MOST_REPEATS))),
    )


@lru_cache(1 << 16)
def split(identifier: str) -> tuple[str, ...]:
    """The words of an identifier: `codebaseMap` and `codebase_map` have the same two."""
    return tuple(part.lower() for part in PART.findall(identifier) if len(part) > 1)


def _symbols(source: Source) -> list[Symbol]:
    reading = _reading(source.language)
    if reading is None:
        return []
    from tree_sitter import QueryCursor

    parser, query = reading
    root = parser.parse(source.content).root_node
    found = [_of_match(match) for _, match in QueryCursor(query).matches(root)]
    found.sort(key=lambda one: (one[0].start_byte, -one[0].end_byte))
    symbols: list[Symbol] = []
    around: list[int] = []  # where the definitions end that the next one may stand in
    for node, name, kind in found:
        while around and node.start_byte >= around[-1]:
            around.pop()
        if name.text is not None and len(symbols) < MOST_SYMBOLS:
            said = name.text.decode("utf-8", "replace")[:SIGNATURE]
            signature = said if kind == "constant" else _signature(source.content, node)
            symbols.append(Symbol(said, kind, node.start_point[0] + 1, len(around), signature))
        around.append(node.end_byte)
    return symbols


def _of_match(match: "dict[str, list[Node]]") -> "tuple[Node, Node, str]":
    kind = next(word for word in match if word != "name")
    return match[kind][0], match["name"][0], kind


def _signature(content: bytes, node: "Node") -> str:
    """The first line of a definition, with the rest of its arguments, without what opens its body."""
    begin = content.rfind(b"\n", 0, node.start_byte) + 1
    head = content[begin : begin + 8 * SIGNATURE].decode("utf-8", "replace").split("\n")
    lines = 1
    while lines < len(head) and _opens("".join(head[:lines])):
        lines += 1
    text = " ".join(" ".join(head[:lines]).split()).replace("( ", "(").replace(",)", ")").replace(", )", ")")
    text = text.rstrip("{: ")
    return text if len(text) <= SIGNATURE else text[: SIGNATURE - 1] + "…"


def _opens(text: str) -> bool:
    return text.count("(") > text.count(")")


@cache
def _reading(name: str) -> "tuple[Parser, Query] | None":
    """Parser and query of a language; None when it has no grammar, or it is not installed."""
    language = BY_NAME.get(name)
    if language is None:
        return None
    try:
        from tree_sitter import Language, Parser, Query

        grammar = Language(getattr(import_module(language.grammar), language.entry)())
    except ImportError:
        return None
    return Parser(grammar), Query(grammar, language.query)


def main() -> None:
    """Read sources from stdin, and write their digests to stdout."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # the time limit of the parent is left
    sources = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Source])
    sys.stdout.buffer.write(msgspec.msgpack.encode([digest(source) for source in sources]))


if __name__ == "__main__":
    main()
