"""What an agent says and does, for the person beside it: its words as they come, what it does in a line each."""

import sys
from shutil import get_terminal_size
from typing import Protocol

from locus.cli.flow import Flow
from locus.cli.invocation import Invocation
from locus.cli.output import INDENT, Output, is_terminal
from locus.cli.run.agent_words import agent_line, spent
from locus.cli.text import safe
from locus.local.providers.base import Ending, Event, Finished, Limit, Notice, Text, TextPart, ToolStarted, whole
from locus.local.sessions.answer import Repair

HANDED_IN = "StructuredOutput"  # the tool by which claude gives an answer of a form

ENDED: dict[Ending, str] = {
    Ending.FAILED: "The agent gave up.",
    Ending.REFUSED: "The model declined.",
    Ending.BUDGET: "The limit of turns or cost was reached.",
    Ending.SILENT: "The agent said nothing for too long and was ended.",
    Ending.WALL_LIMIT: "The time limit was reached.",
    Ending.STOPPED: "Interrupted.",
    Ending.CRASHED: "The agent crashed.",
    Ending.SESSION_LOST: "The agent does not remember this conversation any more.",
    Ending.USAGE_LIMIT: "The usage limit of the model provider is reached.",
    Ending.PROVIDER_DOWN: "The model provider does not answer.",
    Ending.NOT_SIGNED_IN: "The agent is not signed in to its model provider.",
    Ending.NO_CREDIT: "The account of the model provider has no credit.",
    Ending.MISCONFIGURED: "The agent did not accept how it was called.",
    Ending.MISSING: "The agent cannot be started.",
}


class Voice(Protocol):
    """Somebody who listens to a turn."""

    def tell(self, event: Event) -> None: ...


class Aloud:
    """The agent's words on stdout, everything else on stderr, so that a pipe gets the answer and nothing else.

    At a terminal the words are indented and wrapped: no line of an agent begins where a line of ours does.
    """

    def __init__(self, here: Invocation, *, stream: bool = True) -> None:
        self._flow = Flow(_say, get_terminal_size().columns, indent=INDENT) if is_terminal() else None
        self._quiet = here.quiet
        self._stream = stream
        self._parts = ""  # of the text that is being told
        self._at_start = True  # of a line
        self._kept: list[Text] = []

    def tell(self, event: Event) -> None:
        match event:
            case TextPart(text=text) if self._stream:
                self._print(text)
                self._parts += text
            case Text(text=text):
                if not self._stream:
                    self._kept.append(event)
                    return
                if not text.startswith(self._parts):
                    self.end_line()
                    self._parts = ""
                self._print(text.removeprefix(self._parts))
                self._parts = ""
                self.end_line()
            case ToolStarted() | Notice() | Limit():
                line = agent_line(event)
                if line is not None:
                    self._beside(f"· {line}")
            case Finished():
                self.end_line()
                if self._kept:
                    # Without streaming only the answer counts: what the agent said last.
                    self._print(whole(self._kept)[-1])
                    self.end_line()

    def _print(self, text: str) -> None:
        said = safe(text, lines=True)
        if not said:
            return
        if self._flow is not None:
            self._flow.feed(said)
        else:
            _say(said)
        sys.stdout.flush()
        self._at_start = False

    def end_line(self) -> None:
        """End the line of the agent's words, if one has begun."""
        if self._flow is not None:
            self._flow.end()
        elif not self._at_start:
            _say("\n")
        sys.stdout.flush()
        self._at_start = True

    def _beside(self, line: str) -> None:
        if self._quiet:
            return
        self.end_line()
        _print_line(safe(line), dim=False)


def close(out: Output, finished: Finished, *, go_on: str | None) -> None:
    """The last line of a turn: what it took, and the command that goes on with it."""
    parts = [part for part in (spent(finished),) if part]
    if go_on is not None:
        parts.append(f"go on: {go_on}")
    if parts:
        print_beside(out, " · ".join(parts))


def print_progress(out: Output, what: str, event: Event | Repair) -> None:
    """What happens while an agent makes a plan or a review, a line each on stderr; `what` it makes is a word."""
    if isinstance(event, Repair):
        faults = len(event.faults)
        wrong = f"· the {what} has {faults} fault{'s' * (faults != 1)}"
        print_beside(out, f"{wrong}; asking again ({event.again} of {event.asks})")
        for fault in event.faults:
            print_beside(out, f"  - {' '.join(fault.split())}")
    elif not isinstance(event, Finished) and (line := agent_line(event)) is not None and not out.quiet:
        handed_in = line == HANDED_IN or line.startswith(("{", "```"))
        _print_line(f"· the {what} is here" if handed_in else f"· {safe(line)}", dim=False)


def print_beside(out: Output, text: str) -> None:
    """A line of ours on stderr, dim at a terminal; not with --quiet."""
    if out.quiet:
        return
    _print_line(safe(text), dim=True)


def print_all(out: Output, *texts: str | None) -> None:
    """What somebody has to know, a line each: what went wrong, in the words of whoever said it, and what to do."""
    for line in (line for text in texts if text for line in text.splitlines() if line.strip()):
        print_beside(out, line)


def print_question(line: str) -> None:
    """A line of what somebody has to decide on stderr, also with --quiet: the agent waits."""
    _print_line(safe(line), dim=False)


def _print_line(line: str, *, dim: bool) -> None:
    """A line on stderr; at a terminal what does not fit goes on indented, for it may be an agent's words."""
    if not is_terminal(sys.stderr):
        print(line, file=sys.stderr, flush=True)
        return
    parts: list[str] = []
    flow = Flow(parts.append, get_terminal_size().columns, hang=INDENT)
    flow.feed(line)
    flow.end()
    shown = "".join(parts).rstrip("\n")
    print(f"\x1b[2m{shown}\x1b[0m" if dim else shown, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    sys.stdout.write(text)
