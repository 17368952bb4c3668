"""How commands answer: tables for eyes, plain aligned lines for pipes, one JSON document for programs."""

import os
import re
import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from typing import IO, TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from locus.cli.invocation import Invocation
from locus.cli.text import safe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAP = 2  # blanks between columns
LEAST = 12  # columns of a terminal that a text keeps, however narrow it is
FEWEST = 5  # columns that a text keeps beside numbers which would be cut otherwise
_COMMAND = re.compile(r"(?<=: )locus [a-z-]+[^:]*$")  # what a line tells a person to type, at its end
INDENT = 4  # columns before what somebody else wrote, and before what goes on from the line above


class Cell(Struct, frozen=True):
    """A piece of text with a rich style, which only a terminal with colours shows."""

    text: str
    style: str = ""


class Column(Struct, frozen=True):
    title: str
    right: bool = False  # aligned to the right, for numbers
    grows: bool = False  # is cut when there is no room; at least one column of a table should
    path: bool = False  # is cut at its beginning: most paths begin alike


def is_terminal(stream: IO[str] | None = None) -> bool:
    """Whether a person watches."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


class Output:
    """Where a command puts its answer. Every text goes through `safe` here, so callers hand it over as it is."""

    def __init__(self, here: Invocation) -> None:
        self.json_wanted = here.json
        self.quiet = here.quiet
        self.terminal = is_terminal()

    def json(self, answer: Any) -> None:
        """The one document of `--json`: wire types, dataclasses or lists of them."""
        print(harmless_json(msgspec.json.format(msgspec.json.encode(answer)).decode()), flush=True)

    def line(self, *parts: str | Cell, under: int = 0) -> None:
        """One line of the answer; what does not fit goes on below its column `under`."""
        self._print(sys.stdout, parts, under)

    def note(self, *parts: str | Cell, under: int = 0) -> None:
        """One line beside the answer: what was done, what to do next. Not with --quiet; on stderr with --json."""
        if not self.quiet:
            self._print(sys.stderr if self.json_wanted else sys.stdout, parts, under)

    def whole(self, text: str) -> None:
        """An address or a command of ours, to be taken up whole: a terminal that is too narrow wraps it itself."""
        print(f"  {safe(text)}", file=sys.stderr if self.json_wanted else sys.stdout, flush=True)

    def text(self, text: str) -> None:
        """Text of several lines, as somebody wrote it; at a terminal indented, so that no line of it poses as ours."""
        said = safe(text, lines=True)
        if not self.terminal:
            print(said, flush=True)
            return
        from rich.text import Text

        console = self._console()
        for line in said.expandtabs(4).split("\n"):
            for piece in Text(line).wrap(console, max(LEAST, console.width - INDENT)):
                console.print(" " * INDENT + piece.plain, soft_wrap=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str | Cell]]) -> None:
        """Rows under titles; for a pipe aligned with blanks, nothing cut."""
        if not rows:
            return
        if not self.terminal:
            self._plain_table(columns, rows)
            return
        from rich.cells import cell_len
        from rich.table import Table
        from rich.text import Text

        console = self._console()
        said = [[safe(_text(cell)) for cell in row] for row in rows]
        natural = [max(cell_len(column.title), *(cell_len(row[i]) for row in said)) for i, column in enumerate(columns)]
        widths = fitted(natural, columns, console.width - GAP * (len(columns) - 1))
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
        for column, width in zip(columns, widths, strict=True):
            table.add_column(
                Text(column.title),
                justify="right" if column.right else "left",
                no_wrap=True,
                overflow="ellipsis",
                width=width,
            )
        for row, texts in zip(rows, said, strict=True):
            cut = [_end(text, widths[i]) if columns[i].path else text for i, text in enumerate(texts)]
            table.add_row(*(Text(text, style=_style(cell)) for text, cell in zip(cut, row, strict=True)))
        console.print(table)

    def _plain_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str | Cell]]) -> None:
        from rich.cells import cell_len

        lines = [[column.title for column in columns], *([safe(_text(cell)) for cell in row] for row in rows)]
        widths = [max(cell_len(line[i]) for line in lines) for i in range(len(columns))]
        for line in lines:
            padded = [
                " " * (width - cell_len(text)) + text if column.right else text + " " * (width - cell_len(text))
                for text, width, column in zip(line, widths, columns, strict=True)
            ]
            print((" " * GAP).join(padded).rstrip())
        sys.stdout.flush()

    def _print(self, stream: IO[str], parts: Sequence[str | Cell], under: int) -> None:
        plain = "".join(safe(_text(part)) for part in parts)
        short = 2 * len(plain) <= get_terminal_size().columns  # a character is at most two columns wide
        if not is_terminal(stream) or (short and all(isinstance(part, str) for part in parts)):
            print(plain, file=stream, flush=True)
            return
        from rich.text import Text

        line = Text()
        for part in parts:
            line.append(safe(_text(part)), style=_style(part))
        console = self._console(stream)
        for piece in hanging(line, console, under):
            console.print(piece, soft_wrap=True)

    def _console(self, stream: IO[str] | None = None) -> Any:
        from rich.console import Console

        return Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)


def fitted(widths: Sequence[int], columns: Sequence[Column], room: int) -> list[int]:
    """Widths that fit into `room`: what grows gives way first, the widest most, then other text, and numbers never."""
    found = list(widths)
    growing, texts = [column.grows for column in columns], [not column.right for column in columns]
    for yielding, least in ((growing, LEAST), (texts, LEAST), (texts, FEWEST)):
        while sum(found) > room:
            wide = [i for i, yields in enumerate(yielding) if yields and found[i] > least]
            if not wide:
                break
            found[max(wide, key=found.__getitem__)] -= 1
    return found


def _end(text: str, width: int) -> str:
    """The end of a text that is too wide."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[1:]
    return f"…{text}"


def hanging(line: "Text", console: "Console", under: int = 0) -> "list[Text]":
    """The line in pieces that fit, all but the first indented: nobody's words begin where a line of ours does.

    They are indented to the column `under` where there is room for that. A command to be copied begins a piece.
    """
    if not console.is_terminal or line.cell_len <= console.width:
        return [line]
    if command := _COMMAND.search(line.plain):
        before, copied = line.divide([command.start()])
        before.rstrip()
        pieces = copied.wrap(console, max(LEAST, console.width - INDENT))
        for piece in pieces:
            piece.pad_left(INDENT)
        return [*hanging(before, console, under), *pieces]
    if under > INDENT and console.width - under > LEAST * 2:
        head, text = line.divide([under])
        first, *rest = text.wrap(console, console.width - under) or [text]
        for piece in rest:
            piece.pad_left(under)
        return [head.append_text(first), *rest]
    first, *rest = line.wrap(console, max(LEAST, console.width - INDENT))
    for piece in rest:
        piece.pad_left(INDENT)
    return [first, *rest]


def harmless_json(text: str) -> str:
    """The same document, escaped where JSON may hold what a terminal obeys, as U+009B or U+202E."""
    return text if text.isascii() and "\x7f" not in text else "".join(c if _harmless(c) else _escaped(c) for c in text)


def _text(part: str | Cell) -> str:
    return part.text if isinstance(part, Cell) else part


def _style(part: str | Cell) -> str:
    return part.style if isinstance(part, Cell) else ""


def _harmless(character: str) -> bool:
    return character == "\n" or safe(character, lines=True) == character


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
