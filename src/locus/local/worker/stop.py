"""Why an attempt has to stop before its end. The first reason wins; whoever waits is woken."""

import asyncio
from enum import StrEnum


class StopReason(StrEnum):
    INTERRUPTED = "interrupted"  # Ctrl+C, SIGTERM, a closed terminal
    CANCELLED = "cancelled"  # a person cancelled the attempt at the server
    LEASE_LOST = "lease_lost"  # the server gave the task to somebody else
    SELF_FENCED = "self_fenced"  # no heartbeat was acknowledged for too long
    TASK_LIMIT = "task_limit"  # a limit of the task is reached: turns, tokens, money
    RUN_LIMIT = "run_limit"  # a limit of the run or of the day is reached: the task is not to blame


class Stop:
    """A request to stop, made once, from the event loop's own thread."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.reason: StopReason | None = None
        self.detail = ""  # a sentence, where the reason alone does not say it all

    def ask(self, reason: StopReason, detail: str = "") -> None:
        if self.reason is None:
            self.reason, self.detail = reason, detail
            self.event.set()

    @property
    def asked(self) -> bool:
        return self.reason is not None

    @property
    def holds_the_lease(self) -> bool:
        """Whether the server may still be told how the attempt ended."""
        return self.reason not in (StopReason.LEASE_LOST, StopReason.SELF_FENCED)
