"""The map as text: the nearest files, each with the definitions that matter most, within a budget. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from locus.local.codemap.digest import Symbol, split
from locus.local.codemap.languages import language_of
from locus.local.codemap.nearest import Asked, Found
from locus.local.codemap.store import Content

CHARACTERS = 3.5  # of code in a token, about; every model counts otherwise
MOST_FILES = 40
FOR_NAMES = 0.5  # of the budget, what the names of files may take before any definition is told
# How many definitions are told of the first files, of those after them, and of the rest.
QUOTAS = ((5, 10), (15, 5), (MOST_FILES, 2))


class Drawn(Struct, frozen=True):
    """A map, the files that are on it, and about how many tokens it has."""

    text: str
    files: tuple[str, ...]
    tokens: int


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) * 2 // int(CHARACTERS * 2))


def draw(found: Sequence[Found], contents: Mapping[int, Content], asked: Asked, *, budget: int) -> Drawn:
    """Draw the nearest of the files within about `budget` tokens."""
    room = int(budget * CHARACTERS)
    words = frozenset(asked.words)
    chosen: list[tuple[Found, str]] = []
    names = 0
    for one in found[:MOST_FILES]:
        head = _head(one, contents)
        if names + len(head) + 1 > room * (FOR_NAMES if chosen else 1.0):
            break
        chosen.append((one, head))
        names += len(head) + 1
    room -= names
    parts: list[str] = []
    for place, (one, head) in enumerate(chosen):
        content = contents.get(one.file.content) if one.file.content is not None else None
        lines = _definitions(content.symbols, words, asked.identifiers, _quota(place)) if content else []
        told: list[str] = []
        for line in lines:
            if len(line) + 1 > room:
                break
            told.append(line)
            room -= len(line) + 1
        parts += [head, *told]
    text = "\n".join(parts)
    return Drawn(text, tuple(one.file.path for one, _ in chosen), tokens(text))


def shown(text: str) -> str:
    """A name or a line of a repository, which could otherwise begin a line of its own, or turn one around."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    byte = ord(character) - 0xDC00  # of a name that is no UTF-8, as Python keeps it
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else ascii(character)[1:-1]


def _head(one: Found, contents: Mapping[int, Content]) -> str:
    content = contents.get(one.file.content) if one.file.content is not None else None
    about = [language_of(one.file.path) or "not read"]
    if content is not None and content.lines:
        about.append(f"{content.lines} line" + ("" if content.lines == 1 else "s"))
    if note := one.file.note or (content.note if content else None):
        about = [note]
    return f"{shown(one.file.path)}  ({', '.join(about)})"


def _definitions(
    symbols: Sequence[Symbol], words: frozenset[str], identifiers: frozenset[str], quota: int
) -> list[str]:
    """The definitions that matter most, in the order of the file, and how many there are besides."""

    def worth(symbol: Symbol) -> tuple[float, int]:
        shared = len(words.intersection(split(symbol.name)))
        points = 4.0 * (symbol.name in identifiers) + shared - 0.4 * symbol.depth
        return (points - (symbol.kind == "constant") - 0.5 * symbol.name.startswith("_"), -symbol.line)

    best = sorted(sorted(symbols, key=worth, reverse=True)[:quota], key=lambda symbol: symbol.line)
    lines = [f"{symbol.line:>6}  {'  ' * min(symbol.depth, 3)}{shown(symbol.signature)}" for symbol in best]
    more = len(symbols) - len(best)
    return [*lines, f"        … {more} more"] if more and lines else lines


def _quota(place: int) -> int:
    return next(quota for until, quota in QUOTAS if place < until)
