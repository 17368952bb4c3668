"""What every provider is asked and what it says.

A provider is a module (or an object) with the names of `Provider`: it makes an argv and an environment, and reads
lines. It starts nothing; `providers.run` does, for all of them. A new one is a file, a row in `providers.table` and
a row in the contract suite.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from locus.local.process import Exit
from locus.local.providers.asking import Asking, Listening, Wanted
from locus.local.sandbox import Needs


class Ask(Struct, frozen=True):
    """One run of an agent."""

    prompt: str
    cwd: Path
    run_id: str
    """Unique; marks every process of the run."""
    model: str | None = None
    effort: str | None = None
    session: str | None = None
    """Go on with this conversation instead of starting one."""
    usage_before: Usage | None = None
    """What earlier runs of this session used, for providers that only count whole conversations."""
    max_turns: int | None = None
    max_usd: float | None = None
    """Limits of the run, where the provider knows such a limit."""
    descriptors: tuple[int, ...] = ()
    """Open files that the agent inherits, such as the lock of its tree: who outlives us still holds it."""
    variables: tuple[str, ...] = ()
    """Further environment variables that the agent may see, by name or pattern."""
    sandboxed: bool = False
    """Whether our own sandbox is around it, in which no other one can be made."""
    read_only: bool = False
    """Look and answer, change nothing. Who cannot promise that refuses without our sandbox around it."""
    schema: str | None = None
    """The JSON schema of the last answer, for providers that can constrain it; the caller checks it all the same."""
    schema_file: Path | None = None
    """Where the agent finds `schema` as a file; set by `providers.run`."""
    parts: bool = False
    """Tell things as they come, where the provider can: TextPart before the whole Text, Spent after each answer."""
    asking: Asking | None = None  # who is asked before the agent acts


class SessionStarted(Struct, frozen=True):
    id: str
    model: str | None


class Turn(Struct, frozen=True):
    """The model answers for the `number`-th time in this run."""

    number: int


class Text(Struct, frozen=True):
    text: str
    line: bool = False
    """Whether it is a line of a longer text, from programs that print and say no more of it."""


def whole(texts: Sequence[Text]) -> list[str]:
    """The texts as they were meant: lines that follow each other are one."""
    found: list[str] = []
    for at, text in enumerate(texts):
        if at and text.line and texts[at - 1].line:
            found[-1] += f"\n{text.text}"
        else:
            found.append(text.text)
    return found


class TextPart(Struct, frozen=True):
    """The next piece of a text that will be told whole when it is complete."""

    text: str


class AnswerPart(Struct, frozen=True):
    """The next piece of the JSON that answers the schema, from providers that keep it apart from what is said."""

    text: str


class Thinking(Struct, frozen=True):
    """The model thinks; `text` is the next piece of what it tells of that, which may be nothing."""

    text: str = ""


class ToolStarted(Struct, frozen=True):
    id: str
    name: str
    summary: str
    """One line for the local terminal: the command, the file."""


class ToolFinished(Struct, frozen=True):
    id: str
    ok: bool


class Usage(Struct, frozen=True):
    """Totals of this run so far."""

    input_tokens: int = 0
    """All input, cached or not."""
    cached_tokens: int = 0
    """The part of the input that was read from a cache."""
    output_tokens: int = 0
    usd: float | None = None
    """None when it is not known."""
    written_tokens: int = 0
    """The part of the input that was written to a cache, where that is told."""
    by_list: bool = False
    """Whether `usd` comes from our list of prices. Otherwise the provider said it."""

    @property
    def tokens(self) -> int:
        """All of them, cached or not: what a limit of tokens counts."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            usd=self.usd if other.usd is None else (self.usd or 0.0) + other.usd,
            written_tokens=self.written_tokens + other.written_tokens,
            by_list=self.by_list or other.by_list,
        )

    def since(self, before: Usage) -> Usage:
        """Return what was used after `before`, of which this is a later state."""
        return Usage(
            input_tokens=max(self.input_tokens - before.input_tokens, 0),
            cached_tokens=max(self.cached_tokens - before.cached_tokens, 0),
            output_tokens=max(self.output_tokens - before.output_tokens, 0),
            usd=None if self.usd is None else max(self.usd - (before.usd or 0.0), 0.0),
            written_tokens=max(self.written_tokens - before.written_tokens, 0),
            by_list=self.by_list,
        )


class Spent(Struct, frozen=True):
    """An answer of the model is complete, and the agent wants another one. `usage` is that of the run so far."""

    usage: Usage
    model: str | None = None
    """Which one answered, from providers that do not say it at the start."""


class Limit(Struct, frozen=True):
    """What the provider says of the account's allowance."""

    kind: str
    resets_at: datetime | None
    rejected: bool
    utilization: float | None
    """From 0 to 1."""


class Notice(Struct, frozen=True):
    """Something worth a line in the terminal: a retry, a warning, a tool that was not allowed."""

    text: str


class Ending(StrEnum):
    """How a run ended. What the process did outranks what the agent said."""

    DONE = "done"
    """The agent said it was done, and its process ended well."""
    FAILED = "failed"
    """The agent or the model's service gave up on this task: a bad request, a prompt that is too long."""
    REFUSED = "refused"
    """The model declined to do this."""
    BUDGET = "budget"
    """The run reached its limit of turns or cost."""
    SILENT = "silent"
    """We ended it: nothing was heard for too long."""
    WALL_LIMIT = "wall_limit"
    """We ended it: it took too long."""
    STOPPED = "stopped"
    """We were asked to end it, or somebody interrupted it."""
    CRASHED = "crashed"
    """It ended without a last word, or was killed."""
    SESSION_LOST = "session_lost"
    """The conversation to go on with does not exist any more: start a new one."""
    USAGE_LIMIT = "usage_limit"
    """The account's allowance is used up; `resets_at` says until when, if that is known."""
    PROVIDER_DOWN = "provider_down"
    """The model's service cannot be reached, is overloaded or answers with errors: nobody's fault here."""
    NOT_SIGNED_IN = "not_signed_in"
    """There is no login or key, or the service does not accept it."""
    NO_CREDIT = "no_credit"
    """The account must be paid for."""
    MISCONFIGURED = "misconfigured"
    """It did not accept how it was called: an unknown model, an option, a broken settings file."""
    MISSING = "missing"
    """The program is not installed or cannot be started."""


class Finished(Struct, frozen=True):
    """The last event of a run."""

    ending: Ending
    detail: str
    """For the local terminal only: it may quote the agent."""
    session: str | None
    usage: Usage
    turns: int
    resets_at: datetime | None
    exit: Exit | None
    """None when nothing was started."""
    limit: Limit | None = None
    """What was last said of the allowance."""
    unread_lines: int = 0
    """Lines that were not what the provider is known to print."""
    structured: str | None = None
    """The JSON that answers the schema, from providers that keep it apart from what is said."""
    model: str | None = None
    """Which model answered, as far as the provider says it."""
    too_long: bool = False
    """Whether it failed because the conversation does not fit into the model."""


Said = Thinking | TextPart | Text | AnswerPart
Event = SessionStarted | Turn | Said | ToolStarted | ToolFinished | Spent | Usage | Limit | Notice | Finished
Heard = Event | Wanted | Listening  # what a line can say; the last two stay between the agent and `providers.run`

LINE_LIMIT = 160  # characters


def one_line(text: str) -> str:
    """Make a text fit a line of the terminal."""
    line = " ".join(text.split())
    return line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 1] + "…"


def moment(epoch: float | None) -> datetime | None:
    """Return the time that a provider gave in seconds since 1970; None when it gave none, or nonsense."""
    try:
        return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        return None


class Reader(Protocol):
    """Makes events of one run's output."""

    def read(self, line: bytes) -> Sequence[Heard]:
        """Return what a line says; nothing for lines that are unknown or broken. Never raises."""

    def finish(self, exit: Exit, stderr_tail: str) -> Finished:
        """Judge the run, after its last line."""


class Provider(Protocol):
    """An agent CLI that we can drive."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of a module
        """The name people write."""

    @property
    def MODELS_HINT(self) -> str:  # noqa: N802
        """A few words on which models it takes."""

    @property
    def FIRST_SIGNAL(self) -> signal.Signals:  # noqa: N802
        """The signal at which it ends well."""

    @property
    def VERSION(self) -> tuple[str, ...]:  # noqa: N802
        """The arguments with which it prints its version; none when there is no such question."""

    @property
    def SIGNED_IN(self) -> tuple[str, ...]:  # noqa: N802
        """The arguments with which its exit code says whether it is signed in; none when there is no such question."""

    @property
    def COUNTS(self) -> bool:  # noqa: N802
        """Whether its agents tell turns and tokens, so that limits of these can be kept."""

    @property
    def ASKS(self) -> bool:  # noqa: N802
        """Whether its agents can ask before they act, as `Ask.asking` wants."""

    def locate(self, environment: Mapping[str, str]) -> Path:
        """Find the program. Raises LocalError with a remedy."""

    def command(self, ask: Ask, binary: Path) -> list[str]:
        """Make the argv."""

    def opening(self, ask: Ask) -> bytes:
        """Make what is on stdin, with the prompt."""

    def environment(self, ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
        """Make the whole environment of the child."""

    def needs(self, environment: Mapping[str, str]) -> Needs:
        """Say what its agents need in a sandbox beside the working tree."""

    def reader(self, ask: Ask, environment: Mapping[str, str]) -> Reader:
        """Return a reader for one run in that environment; called just before the start."""
