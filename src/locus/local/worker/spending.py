"""What one attempt has taken so far: time, tokens, money, lines."""

import time

from msgspec import Struct, field

from locus.local.git.changes import Changes
from locus.local.providers.base import Finished, Usage
from locus.wire.agents import ProviderName
from locus.wire.work import Numbers


class Spending(Struct):
    """Adds up over the rounds of an attempt, and becomes the numbers of its report."""

    provider: ProviderName
    model: str | None
    began: float = field(default_factory=time.monotonic)
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    agent_seconds: float = 0.0
    checks_ms: int = 0
    files: int = 0
    lines_added: int = 0
    lines_removed: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def add_agent(self, finished: Finished, seconds: float) -> None:
        self.turns += finished.turns
        self.usage += finished.usage
        self.agent_seconds += seconds

    def count(self, changes: Changes) -> None:
        self.files, self.lines_added, self.lines_removed = changes.files, changes.added, changes.removed

    def numbers(self) -> Numbers:
        """The part that may leave the machine: numbers only."""
        return Numbers(
            provider=self.provider,
            model=self.model,
            files=self.files,
            lines_added=self.lines_added,
            lines_removed=self.lines_removed,
            turns=self.turns,
            input_tokens=self.usage.input_tokens,
            cached_tokens=self.usage.cached_tokens,
            output_tokens=self.usage.output_tokens,
            usd_micros=None if self.usage.usd is None else round(self.usage.usd * 1_000_000),
            agent_ms=int(self.agent_seconds * 1000),
            checks_ms=self.checks_ms,
            total_ms=int(self.seconds * 1000),
        )
