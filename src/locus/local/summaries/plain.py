"""Sentences of plain words in a message. Whatever code, a path, a name or a key could be written with is left out.

It asks what may stand, not what may not: a word is letters in the usual case, and not longer than words are. So nothing
that was encoded gets through, and nothing that cannot be seen.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from locus.wire.base import SUMMARY

LOOKED_AT = 20_000  # characters of a message
SHORTEST = 20  # bytes of a sentence; what is shorter says nothing
WORDS = 4  # that a sentence must have
LONGEST = 20  # letters of a word
ABBREVIATION = 6  # capitals in a row, as in HTTP
COMPOUND = 4  # parts of a word that hyphens hold together
OMITTED = "…"
LATIN = frozenset(["e.g", "i.e"])  # words with a point in them that are no names of files

_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)])\s+(?:\[[ xX]\]\s+)?")
_NO_PROSE = re.compile(r"\s*[#>|]| {4}|\t")
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^`]+\1(?!`)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+?)(?<=[^\s*])\1(?![\w*])")
_END = re.compile(r"(?<=[.!?…])\s+")
_AROUND = ".,:;!?…()\"'“”„‘’–—"
_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,3}){0,2}")
_JOINT = re.compile(r"[-'’]")
_ALLOWED = re.compile(SUMMARY)


@dataclass(frozen=True)
class Sentence:
    """A sentence as it would be sent. `lines` are those of the message that its paragraph was made of."""

    text: str
    lines: tuple[str, ...] = field(default=(), compare=False)

    @property
    def words(self) -> frozenset[str]:
        """Its words without what stands around them."""
        return frozenset(word.strip(_AROUND) for word in self.text.split(" ")) - {""}


def sentences(message: str, *, key: str = "") -> Iterator[Sentence]:
    """The sentences of plain words, in their order; `key` is that of the task, which may be named.

    Code between backticks becomes an ellipsis. A sentence with anything else that is no plain word is left out whole.
    """
    for lines in _paragraphs(unicodedata.normalize("NFC", message[:LOOKED_AT])):
        text = _EMPHASIS.sub(r"\2", " ".join(lines))
        for piece in _pieces(text):
            said = _plain(piece, key)
            if said is not None:
                yield Sentence(said, tuple(lines))


def _paragraphs(message: str) -> Iterator[list[str]]:
    """The paragraphs and list items as their lines; without blocks of code, headings, quotations and tables."""
    lines: list[str] = []
    in_code = False
    for line in message.replace("\r\n", "\n").split("\n"):
        fence, item = _FENCE.match(line), _ITEM.match(line)
        ends = fence or item or in_code or not line.strip() or _NO_PROSE.match(line)
        if ends and lines:
            yield lines
            lines = []
        if fence:
            in_code = not in_code
        elif item and not in_code:
            lines = [line[item.end() :].strip()]
        elif not ends:
            lines.append(line.strip())
    if lines:
        yield lines


def _pieces(text: str) -> list[str]:
    """A text cut at the ends of its sentences, but not after an abbreviation in the middle of one."""
    pieces: list[str] = []
    for piece in _END.split(text):
        if pieces and piece[:1].islower():
            pieces[-1] += f" {piece}"
        else:
            pieces.append(piece)
    return pieces


def _plain(piece: str, key: str) -> str | None:
    """The sentence, if it is one of plain words."""
    said = " ".join(_CODE.sub(OMITTED, piece).split(" "))
    words, omitted = 0, said.count(OMITTED)
    for word in said.split(" "):
        core = word.strip(_AROUND)
        if core and core != key and not _NUMBER.fullmatch(core) and not _is_word(core):
            return None
        words += bool(core)
    if words < max(WORDS, 2 * omitted) or said[0].islower() or said.endswith(":"):
        return None
    said = said.rstrip(",;") if said[-1] in ",;" else said
    said += "" if said.rstrip("\"'”’)")[-1:] in (".", "!", "?", OMITTED) else "."
    fits = len(said.encode()) >= SHORTEST and _ALLOWED.match(said)
    return said if fits else None


def _is_word(core: str) -> bool:
    parts = _JOINT.split(core)
    return core in LATIN or (len(parts) <= COMPOUND and all(map(_is_part, parts)))


def _is_part(part: str) -> bool:
    if part.isascii() and part.isdigit():
        return len(part) <= 4
    if not part.isalpha() or len(part) > LONGEST:
        return False
    return part.islower() or part.istitle() or (part.isupper() and len(part) <= ABBREVIATION)
