"""What the steps of one attempt share: the task, the lease, the place, and what it has cost so far."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from locus.local.journal import Entry, HeldChange, Journal
from locus.local.worker.going_on import Kept
from locus.local.worker.heartbeat import Heartbeat
from locus.local.worker.meter import Meter, Purse
from locus.local.worker.records import Records
from locus.local.worker.site import Site
from locus.local.worker.spending import Spending
from locus.local.worker.stop import Stop, StopReason
from locus.local.worker.workplace import Workplace
from locus.wire.agents import ProviderName
from locus.wire.tasks import Phase
from locus.wire.work import Lease, TaskSnapshot

T = TypeVar("T")


class Stopped(Exception):
    """The attempt was asked to stop; its `Stop` knows why."""


@dataclass
class Attempt:
    """One attempt at one task."""

    work: Workplace
    site: Site
    heartbeat: Heartbeat
    lease: Lease
    snapshot: TaskSnapshot
    stop: Stop
    journal: Journal
    purse: Purse
    kept: Kept | None = None  # of an earlier attempt, to go on with
    held: HeldChange | None = None  # what a person lets through with it
    marker: str = field(default_factory=lambda: str(uuid4()))  # on every process of the attempt
    spending: Spending = field(init=False)
    meter: Meter = field(init=False)
    records: Records = field(init=False)

    def __post_init__(self) -> None:
        self.spending = Spending(ProviderName(self.work.provider.NAME), self.work.options.model)
        self.meter = Meter(self.purse, attempt=self.marker, task_id=self.lease.task_id, first=self.lease.attempt == 1)
        if self.kept is not None:
            self.meter.continues(self.kept.budget)
        self.records = Records(self.work.state, self.snapshot.task.workspace_id, self.key, self.lease.fence)

    @property
    def key(self) -> str:
        return self.snapshot.task.key

    def begin(self, *, claim: str | None) -> None:
        """Write down that the task is claimed, before anything is done about it; `claim` is the key of its claim."""
        plane, work = self.work.plane, self.work
        assert plane.workspace_id is not None, "a task was claimed in it"
        self.journal.begin(
            Entry(
                marker=self.marker,
                workspace_id=plane.workspace_id,
                task_id=self.lease.task_id,
                key=self.key,
                fence=self.lease.fence,
                root=work.checkout.root,
                slot=None if work.options.in_place else self.site.clone.slot,
                branch=self.site.branch,
                held=self.held,
            ),
            claim=claim,
        )

    def enter(self, phase: Phase) -> None:
        """Begin a phase, and say so with the next heartbeat. Raises Stopped."""
        if self.stop.asked:
            raise Stopped
        self.heartbeat.phase(phase)

    def be_sure_of_the_lease(self) -> None:
        """Raise Stopped unless the lease is certainly ours: asked before what the outside can see."""
        if not self.heartbeat.confirmed():
            self.stop.ask(StopReason.SELF_FENCED)
            raise Stopped

    async def unless_stopped(self, step: Coroutine[Any, Any, T]) -> T:
        """Await a step; cancel it and raise Stopped when the attempt is asked to stop."""
        working = asyncio.ensure_future(step)
        stopping = asyncio.ensure_future(self.stop.event.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Stopped
        finally:
            stopping.cancel()
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
