"""What is kept of a session: what was asked and answered, what it took, and the agent's own name for it."""

# No `from __future__ import annotations`: msgspec reads them.

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Struct

from locus.local.providers.base import Ending, Usage

PREVIEW = 60  # characters

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Turn(Struct, kw_only=True):
    """One question and what came of it. An answer that was cut short is kept as what it is: a part."""

    prompt: str
    answer: str
    ending: Ending
    detail: str
    at: Moment
    seconds: float
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None


class Session(Struct, kw_only=True):
    """One conversation with one agent, in one repository."""

    id: str
    root: str
    cwd: str
    provider: str
    sandboxed: bool
    read_only: bool
    created_at: Moment
    updated_at: Moment
    native: str | None = None
    """What the agent itself calls the conversation, and goes on with; None while it has none."""
    model: str | None = None
    effort: str | None = None
    turns: list[Turn] = []

    @property
    def title(self) -> str:
        """The beginning of what was asked first, in one line."""
        first = " ".join(self.turns[0].prompt.split()) if self.turns else ""
        return first if len(first) <= PREVIEW else first[: PREVIEW - 1] + "…"

    @property
    def used(self) -> Usage:
        """What all turns used."""
        total = Usage()
        for turn in self.turns:
            total += Usage(turn.input_tokens, turn.cached_tokens, turn.output_tokens, turn.usd)
        return total
