"""A small terminal: it shows what a program printed, and notes everything that it was told to do beside printing.

Only what our own output needs is obeyed: colours, moving within the screen, erasing, hiding the cursor. Anything else
(titles, clipboard, links, other screens, modes) is `told`, and so is every control character.
"""

import re
import unicodedata
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|(?P<string>(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?)"
    r"|(?P<other>\x1b.?|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+)|(?P<move>[\r\n\t])",
    re.DOTALL,
)
HARMLESS_MODES = {"?25"}  # the cursor, hidden while a line moves


@dataclass
class Terminal:
    """`columns` wide and as long as it has to be; `told` is what it was asked for and should not have been."""

    columns: int = 100
    lines: list[list[str]] = field(default_factory=lambda: [[]])
    history: set[str] = field(default_factory=set)  # every line that ever stood there
    told: list[str] = field(default_factory=list)
    row: int = 0
    column: int = 0

    def feed(self, output: str) -> "Terminal":
        for token in TOKEN.finditer(output):
            if token["text"]:
                for character in token["text"]:
                    self._put(character)
            elif token["move"]:
                self._move(token["move"])
            elif token["final"]:
                self._obey(token["parameters"], token["between"] + token["final"])
            else:
                self.told.append(token[0])
        self._note()
        return self

    @property
    def screen(self) -> list[str]:
        return ["".join(line).rstrip() for line in self.lines]

    def _put(self, character: str) -> None:
        width = 0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self._note()
            self.row, self.column = self.row + 1, 0
        line = self._line()
        line.extend(" " * (self.column + width - len(line)))
        if width:
            line[self.column : self.column + width] = [character, *[""] * (width - 1)]
        self.column += width

    def _move(self, character: str) -> None:
        self._note()
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            self._line()
        else:
            self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)

    def _obey(self, parameters: str, final: str) -> None:
        if final == "m" and re.fullmatch(r"[0-9;]*", parameters):
            return
        if final in ("h", "l") and parameters in HARMLESS_MODES:
            return
        many = int(parameters or 1) if parameters.isdigit() or not parameters else None
        if final == "A" and many is not None:
            self._note()
            self.row = max(0, self.row - many)
        elif final == "K" and many is not None:
            self._note()
            line = self._line()
            kept = line[: self.column] if parameters in ("", "0") else []
            line[:] = kept
        else:
            self.told.append(f"CSI {parameters}{final}")

    def _line(self) -> list[str]:
        while len(self.lines) <= self.row:
            self.lines.append([])
        return self.lines[self.row]

    def _note(self) -> None:
        self.history.add("".join(self._line()).rstrip())
