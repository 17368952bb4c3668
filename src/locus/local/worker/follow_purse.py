"""What the follow-ups of one call may take: the limits of a task, of a run and of a day, as in `locus run`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from msgspec.structs import replace

from locus.local.journal import Account, Amounts, Ledger
from locus.local.journal.limits import Limits, Reached, Scope, reached

SHORTEST_WALL = 1.0  # seconds


@dataclass
class FollowPurse:
    """The limits of one call, over all its rounds and all the tasks that it takes up."""

    ledger: Ledger
    limits: Limits
    name: str = field(default_factory=lambda: f"follow-ups {uuid4()}")
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def account(self, task: str) -> Account:
        """For what the agent of a task and its reviewer take. Somebody has asked for it: its budget is a new one."""
        name = f"{self.name} {task}"
        return Account(attempt=name, run=self.name, budget=name)

    def over(self, task: str) -> Reached | None:
        """The limit that forbids another answer, if one does."""
        caps, ledger = self.limits, self.ledger
        # The minutes of a run pass also where no agent works.
        of_run = replace(ledger.of_run(self.name), seconds=self.clock() - self._began) if caps.run else Amounts()
        return (
            (reached(caps.day, ledger.of_today(), Scope.DAY) if caps.day else None)
            or reached(caps.run, of_run, Scope.RUN)
            or (reached(caps.task, ledger.of_budget(self.account(task).budget), Scope.TASK) if caps.task else None)
        )

    def wall(self, task: str, most: float) -> float:
        """The seconds that an agent of the task may take now, of the `most` that one attempt may."""
        left = most - self.ledger.of_budget(self.account(task).budget).seconds
        if (minutes := self.limits.run.minutes) is not None:
            left = min(left, minutes * 60 - (self.clock() - self._began))
        return max(left, SHORTEST_WALL)
