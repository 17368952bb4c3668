"""Any program as an agent: the prompt on stdin, edits in its working directory, what it prints is text."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec
from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.process import Exit, base_environment
from locus.local.providers.base import Ask, Ending, Event, Finished, Reader, Text, Usage
from locus.local.sandbox import Needs, reaching

MOST_BLANK = 20  # lines in a row
TEXT_LIMIT = 16 << 10  # bytes of a line that are shown
ANSWER_LIMIT = 4 << 20  # bytes of an answer that has to have a form
BEGINS = re.compile(r"^[ \t]*(?:\{|```)", re.MULTILINE)
FORM = "The JSON object has to be of this JSON schema:"


class Command(Struct, frozen=True):
    """A provider that is a program and its arguments, from the user's configuration."""

    argv: tuple[str, ...] = ()

    NAME: ClassVar[str] = "command"
    MODELS_HINT: ClassVar[str] = "whatever the program does with the prompt"
    FIRST_SIGNAL: ClassVar[signal.Signals] = signal.SIGTERM
    VERSION: ClassVar[tuple[str, ...]] = ()  # what an unknown program does with --version is unknown
    SIGNED_IN: ClassVar[tuple[str, ...]] = ()
    COUNTS: ClassVar[bool] = False
    ASKS: ClassVar[bool] = False

    def locate(self, environment: Mapping[str, str]) -> Path:
        if not self.argv:
            raise LocalError(
                "The provider `command` does not know which program to run.",
                remedy="Give it one: a list of the program and its arguments.",
            )
        found = shutil.which(self.argv[0], path=environment.get("PATH", ""))
        if found is None:
            raise LocalError(
                f"{self.argv[0]} is not installed, not on PATH, or not executable.",
                remedy="Install it, or give its full path as the program of the provider `command`.",
            )
        return Path(found).absolute()

    def command(self, ask: Ask, binary: Path) -> list[str]:
        return [str(binary), *self.argv[1:]]

    def opening(self, ask: Ask) -> bytes:
        said = ask.prompt if ask.schema is None else f"{ask.prompt}\n{FORM}\n{ask.schema}\n"
        return said.encode(errors="replace")

    def environment(self, ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
        return base_environment(inherited, allow=ask.variables)

    def needs(self, environment: Mapping[str, str]) -> Needs:
        # What the user's own words name: the program, a script that it is to interpret, a folder.
        named = [Path(word) for word in self.argv if word.startswith("/") and Path(word).exists()]
        return Needs(read=(*named, *reaching(self.locate(environment))))

    def reader(self, ask: Ask, environment: Mapping[str, str]) -> Reader:
        return _Reader(wants_form=ask.schema is not None)


class _Reader:
    def __init__(self, *, wants_form: bool) -> None:
        self._wants_form = wants_form
        self._answers = False
        self._printed = bytearray()  # an answer of a form may stand in many lines, and in long ones
        self._blank = ""  # lines that said nothing, before one that says something

    def read(self, line: bytes) -> list[Event]:
        text = line[:TEXT_LIMIT].decode(errors="replace").rstrip()
        if self._wants_form:
            if len(self._printed) < ANSWER_LIMIT:
                self._printed += line + b"\n"
            if self._answers:
                return []  # the rest of it comes with the end
            self._answers = BEGINS.match(text) is not None
        if not text:
            self._blank = f"{self._blank}\n"[:MOST_BLANK]
            return []
        before, self._blank = self._blank, ""
        return [Text((before + text)[:TEXT_LIMIT], line=True)]

    def finish(self, exit: Exit, stderr_tail: str) -> Finished:
        if exit.ok:
            ending, detail = Ending.DONE, ""
        else:
            ending = Ending.FAILED if exit.signal is None else Ending.CRASHED
            detail = f"It ended with {exit}.\n{stderr_tail}".strip()
        return Finished(
            ending,
            detail,
            session=None,
            usage=Usage(),
            turns=0,
            resets_at=None,
            exit=exit,
            structured=self._answer() or None,
        )

    def _answer(self) -> str:
        """What of all that was printed is the answer: the last line, if it is an object, or what begins like one."""
        printed = self._printed.decode(errors="replace").strip()
        last = printed.rpartition("\n")[2].strip()
        if last.startswith("{") and _is_object(last):
            return last
        begins = BEGINS.search(printed)
        return printed[begins.start() :] if begins else printed


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, RecursionError):
        return False
