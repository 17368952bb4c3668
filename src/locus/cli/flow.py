"""Words as they come, for a terminal: indented, and wrapped between words, though nobody knows how a line will end."""

import re
from collections.abc import Callable

PIECE = re.compile(r"\n|[ \t]+|[^ \t\n]+")
TAB = "    "
SURE = 20  # columns; a word that is not whole yet is shown where so many are left for the rest of it
LEAST = 12  # columns for text, however narrow the terminal is


class Flow:
    """Writes a text piece by piece. No line of it begins further left than `indent`, whatever it says."""

    def __init__(self, write: Callable[[str], None], width: int, *, indent: int = 0, hang: int | None = None) -> None:
        """`indent` is for the first line, and for what follows a line break; `hang` for what had to be wrapped."""
        self._write = write
        self._indent = indent
        self._hang = indent if hang is None else hang
        self._width = max(width, max(self._indent, self._hang) + LEAST)
        self._column = 0
        self._gap = ""  # blanks before the next word
        self._word = ""  # that is not shown yet
        self._broken = False  # whether some of that word is shown

    @property
    def at_start(self) -> bool:
        """Whether nothing stands in the current line."""
        return not self._column and not self._word

    def feed(self, text: str) -> None:
        """Write the next piece; the end of its last word may wait until that is whole."""
        for piece in PIECE.findall(text):
            if piece == "\n":
                self._end_word()
                self._write("\n")
                self._column, self._gap = 0, ""
            elif piece[0] in " \t":
                self._end_word()
                self._gap += piece.replace("\t", TAB)
            else:
                self._word += piece
        # Where a whole screen line is sure to hold it, nobody waits for the rest of a word.
        if self._word and max(self._column, self._indent) + len(self._gap) + cells(self._word) + SURE <= self._width:
            self._show()
            self._broken = True

    def end(self) -> None:
        """Write what still waits, and end the line."""
        self._end_word()
        self._gap = ""
        if self._column:
            self._write("\n")
            self._column = 0

    def _end_word(self) -> None:
        if self._word:
            self._show()
        self._broken = False

    def _show(self) -> None:
        word, gap = self._word, "" if self._broken else self._gap
        if not self._column:
            gap = gap[: self._width - self._indent - LEAST]
            self._write(" " * self._indent + gap)
            self._column = self._indent + len(gap)
        elif not self._broken and self._column + len(gap) + cells(word) > self._width:
            self._wrap()
        else:
            self._write(gap)
            self._column += len(gap)
        while self._column + cells(word) > self._width:
            fits = _fitting(word, self._width - self._column)
            self._write(word[:fits])
            word = word[fits:]
            self._wrap()
        self._write(word)
        self._column += cells(word)
        self._gap = self._word = ""

    def _wrap(self) -> None:
        self._write("\n" + " " * self._hang)
        self._column = self._hang


def cells(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _fitting(word: str, room: int) -> int:
    """How many characters of a word fit; at least one does."""
    taken = 0
    for at, character in enumerate(word):
        taken += cells(character)
        if taken > room:
            return max(at, 1)
    return len(word)
