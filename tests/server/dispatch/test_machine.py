"""Any sequence of claims, reports, sweeps and people's decisions, against a model of leases on the real database.

`LOCUS_EXAMPLES` is how many sequences are tried.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.server.dispatch.ground import TIMING, Ground, Worker, completion, failure, giving_back, ground as new_ground
from tests.server.events.fold import fold, numbered, tables

from locus.server.db import pool as pools
from locus.server.db.pool import Pool
from locus.server.dispatch import leases, outcomes, rules
from locus.server.dispatch.claims import Granted, Nothing, Over
from locus.server.dispatch.leases import Holder
from locus.server.errors import Conflict, LeaseLost, NotFound, Refused
from locus.server.events import sequencer
from locus.server.events.log import Actor, record
from locus.server.tasks import actions, decisions, store
from locus.wire.events import ActorKind, EventDetail, EventKind
from locus.wire.tasks import BlockedReason, Phase, Priority, Status, StatusChange, Task, TaskEdit
from locus.wire.work import Completion, FailReason, Failure, Release

T = TypeVar("T")

PERSON = Actor(ActorKind.PERSON, "Ada", uuid4())
CAP = 3
WORKERS = 3
REASONS = [reason for reason in FailReason if reason is not FailReason.LEASE_EXPIRED]


@dataclass
class Modelled:
    """What must be true of a task."""

    id: UUID
    priority: Priority
    position: float
    needs: list["Modelled"]
    check: str | None
    status: Status = Status.BACKLOG
    reason: BlockedReason | None = None
    attempts: int = 0
    fence: int = 0
    holder: int | None = None  # which worker
    alive: bool = False  # the lease has not run out
    cancel: bool = False
    assignee: str | None = None

    @property
    def claimable(self) -> bool:
        finished = (Status.IN_REVIEW, Status.DONE)
        return self.status is Status.BACKLOG and not self.assignee and all(n.status in finished for n in self.needs)

    def end(self, status: Status, reason: BlockedReason | None = None) -> None:
        self.status, self.reason = status, reason
        self.holder, self.alive, self.cancel = None, False, False

    def back(self, reason: BlockedReason | None) -> None:
        self.end(Status.BLOCKED if reason else Status.BACKLOG, reason)


@dataclass
class Given:
    """A lease that was handed out at some time, and what was reported with it."""

    task: Modelled
    fence: int
    worker: int
    key: str
    reported: Completion | Failure | Release | None = None
    reaped: bool = False

    @property
    def held(self) -> bool:
        return self.task.holder is not None and self.task.fence == self.fence and self.task.alive


@dataclass
class Field:
    """The database that all sequences of one test share; each has a workspace of its own."""

    loop: asyncio.AbstractEventLoop
    pool: Pool
    connection: Any

    def do(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)


class Leases(RuleBasedStateMachine):
    field: Field

    @initialize(
        plan=st.lists(st.tuples(st.sampled_from(Priority), st.booleans(), st.booleans()), min_size=1, max_size=5)
    )
    def begin(self, plan: list[tuple[Priority, bool, bool]]) -> None:
        self.ground: Ground = self.do(new_ground(self.field.pool))
        self.workers: list[Worker] = [self.do(self.ground.worker()) for _ in range(WORKERS)]
        self.tasks: list[Modelled] = []
        self.given: list[Given] = []
        for place, (priority, waits, checked) in enumerate(plan):
            needs = self.tasks[-1:] if waits else []
            check = "tests" if checked else None
            task_id = self.do(
                self.ground.task(
                    priority=priority.value,
                    position=float(place),
                    after=[needed.id for needed in needs],
                    checks=[check] if check else [],
                )
            )
            self.do(self.created(task_id))
            self.tasks.append(Modelled(task_id, priority, float(place), needs, check))

    async def created(self, task_id: UUID) -> None:
        async with self.ground.log.transaction() as db:
            await record(
                db,
                self.ground.workspace_id,
                EventKind.TASK_CREATED,
                PERSON,
                task_id=task_id,
                sprint_id=self.ground.sprint_id,
                detail=EventDetail(status=Status.BACKLOG),
            )

    def do(self, work: Awaitable[T]) -> T:
        return self.field.do(work)

    def refused(self, work: Awaitable[object], kind: type[Refused], code: str | None = None) -> None:
        """The work must be refused like this, and change nothing at all."""
        before = self.do(self.ground.everything())
        with pytest.raises(kind) as refused:
            self.do(work)
        assert code is None or refused.value.code == code, refused.value
        assert self.do(self.ground.everything()) == before

    # --- what workers do

    @rule(worker=st.integers(0, WORKERS - 1), dies=st.booleans())
    def work_in_vain(self, worker: int, dies: bool) -> None:
        """Claim and end badly, as often as it is allowed: otherwise hardly any task would reach its cap."""
        for _ in range(CAP):
            before = len(self.given)
            self.claim(worker)
            if len(self.given) == before:
                return
            given = self.given[-1]
            if dies:
                self.do(self.ground.run_out(given.task.id))
                given.task.alive = False
                self.reap()
            else:
                self.end_badly(given, FailReason.AGENT_FAILED)

    @rule(worker=st.integers(0, WORKERS - 1))
    def claim(self, worker: int) -> None:
        key = f"claim-{len(self.given)}"
        order = sorted(self.tasks, key=lambda t: (list(Priority).index(t.priority), t.position, t.id.bytes))
        expected = next((task for task in order if task.claimable), None)

        reply = self.do(self.ground.claim(self.workers[worker], key))

        if expected is None:
            assert reply == Nothing()
            return
        assert isinstance(reply, Granted), reply
        assert reply.lease.task_id == expected.id
        assert reply.lease.fence == expected.fence + 1
        expected.status, expected.holder, expected.alive, expected.cancel = Status.IN_PROGRESS, worker, True, False
        expected.fence, expected.attempts = expected.fence + 1, expected.attempts + 1
        assert reply.lease.attempt == expected.attempts
        self.given.append(Given(expected, expected.fence, worker, key))

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def claim_again(self, data: st.DataObject) -> None:
        given = self.one(data)

        reply = self.do(self.ground.claim(self.workers[given.worker], given.key))

        if given.held:
            assert isinstance(reply, Granted)
            assert (reply.lease.task_id, reply.lease.fence, reply.fresh) == (given.task.id, given.fence, False)
        else:
            assert reply == Over()

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        given = self.one(data)
        if not given.held:
            self.refused(self.renewal(given), LeaseLost)
            return
        assert self.do(self.renewal(given)).cancel_requested == given.task.cancel

    def renewal(self, given: Given) -> Any:
        return leases.renew(self.field.pool, self.holder(given), Phase.AGENT, TIMING)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), proved=st.booleans())
    def complete(self, data: st.DataObject, proved: bool) -> None:
        given = self.one(data)
        report = completion(given.fence, *(["tests"] if proved else []))
        missing = given.held and given.task.check is not None and not proved
        if missing:
            self.refused(outcomes.complete(self.field.pool, self.holder(given), report), Conflict, "evidence_missing")
        elif self.reported(given, report, outcomes.complete):
            given.task.end(Status.IN_REVIEW)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), reason=st.sampled_from(REASONS))
    def fail(self, data: st.DataObject, reason: FailReason) -> None:
        self.end_badly(self.one(data), reason)

    def end_badly(self, given: Given, reason: FailReason) -> None:
        task, what = given.task, rules.CONSEQUENCES[reason]
        if self.reported(given, failure(given.fence, reason), outcomes.fail):
            exhausted = what.at_cap if what.counted and task.attempts >= CAP else None
            task.attempts -= 0 if what.counted else 1
            task.back(what.blocks or (BlockedReason.MANUAL if task.cancel else exhausted))

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        given = self.one(data)
        if self.reported(given, giving_back(given.fence), outcomes.release):
            given.task.attempts -= 1
            given.task.back(BlockedReason.MANUAL if given.task.cancel else None)

    @precondition(lambda self: any(given.reported for given in self.given))
    @rule(data=st.data())
    def report_again(self, data: st.DataObject) -> None:
        given = data.draw(st.sampled_from([given for given in self.given if given.reported]))
        assert given.reported is not None
        before = self.do(self.ground.everything())

        answer = self.do(self.end_of(given.reported)(self.field.pool, self.holder(given), given.reported))

        assert answer.id == given.task.id
        assert self.do(self.ground.everything()) == before

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def steal(self, data: st.DataObject) -> None:
        """Another key, with somebody else's fence."""
        given = self.one(data)
        thief = Holder(self.ground.workspace_id, given.task.id, given.fence, uuid4())
        self.refused(outcomes.release(self.field.pool, thief, giving_back(given.fence)), NotFound)
        self.refused(leases.renew(self.field.pool, thief, Phase.AGENT, TIMING), NotFound)

    def reported(
        self,
        given: Given,
        report: Completion | Failure | Release,
        end: Callable[..., Awaitable[Task]],
    ) -> bool:
        """Report with a lease, current or not; whether it was accepted as the end of the attempt."""
        work = end(self.field.pool, self.holder(given), report)
        if given.held:
            self.do(work)
            given.reported = report
            return True
        if given.reported == report:
            assert self.do(work).id == given.task.id
        elif given.reported is not None:
            self.refused(work, Conflict, "reported")
        else:
            self.refused(work, LeaseLost)
        return False

    # --- what time and the server do

    @precondition(lambda self: any(task.alive for task in self.tasks))
    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from([task for task in self.tasks if task.alive]))
        self.do(self.ground.run_out(task.id))
        task.alive = False

    @rule()
    def reap(self) -> None:
        lost = [task for task in self.tasks if task.holder is not None and not task.alive]

        assert self.do(outcomes.reap(self.field.pool)) == len(lost)

        for task in lost:
            exhausted = BlockedReason.ATTEMPTS_EXHAUSTED if task.attempts >= CAP else None
            task.back(BlockedReason.MANUAL if task.cancel else exhausted)

    # --- what people do

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.tasks))
        wish = leases.cancel(self.field.pool, self.ground.workspace_id, task.id, PERSON)
        if task.holder is None:
            self.refused(wish, Conflict, "not_held")
            return
        assert self.do(wish).cancel_requested
        task.cancel = True

    @rule(data=st.data(), status=st.sampled_from(Status))
    def decide(self, data: st.DataObject, status: Status) -> None:
        """Approve, reject, block, unblock, take by hand: whatever the rules allow."""
        task = data.draw(st.sampled_from(self.tasks))
        change = StatusChange(status=status, feedback="Not yet.", force=True)
        held = task.holder is not None
        try:
            self.do(self.decided(task, change))
        except Refused:
            return
        assert not held, "a person took a task away from under an agent"
        task.status = status
        task.reason = BlockedReason.MANUAL if status is Status.BLOCKED else None
        task.attempts = 0 if status is Status.BACKLOG else task.attempts

    async def decided(self, task: Modelled, change: StatusChange) -> Task:
        async with self.ground.log.transaction() as db:
            return await decisions.change_status(db, self.ground.workspace_id, PERSON, task.id, change)

    @rule(data=st.data(), priority=st.sampled_from(Priority), assignee=st.sampled_from([None, "Ada"]))
    def edit(self, data: st.DataObject, priority: Priority, assignee: str | None) -> None:
        task = data.draw(st.sampled_from(self.tasks))
        try:
            self.do(self.edited(task, TaskEdit(priority=priority, assignee=assignee)))
        except Refused:
            return
        assert task.holder is None or assignee is None
        task.priority, task.assignee = priority, assignee
        task.position = self.do(self.ground.read(task.id)).position

    async def edited(self, task: Modelled, edit: TaskEdit) -> Task:
        async with self.ground.log.transaction() as db:
            return await actions.edit(db, self.ground.workspace_id, PERSON, task.id, edit, expected=None)

    # --- what must be true all the time

    @invariant()
    def the_tables_are_as_the_model_says(self) -> None:
        if not hasattr(self, "ground"):
            return
        found_tasks = self.do(store.many(self.field.pool, self.ground.workspace_id, [task.id for task in self.tasks]))
        for task, found in zip(self.tasks, found_tasks, strict=True):
            holder = None if task.holder is None else self.workers[task.holder].agent_id
            assert (found.status, found.blocked_reason) == (task.status, task.reason)
            assert (found.attempts, found.fence, found.agent_id) == (task.attempts, task.fence, holder)
            assert (found.cancel_requested, found.assignee) == (task.cancel, task.assignee)

    def teardown(self) -> None:
        if not hasattr(self, "ground"):
            return
        try:
            while self.do(sequencer.number(self.field.connection)):
                pass
            events = self.do(numbered(self.field.pool, self.ground.workspace_id))
            assert fold(events) == self.do(tables(self.field.pool, self.ground.workspace_id))
            ended = sum(event.kind.value.rpartition(".")[2] in ENDS for event in events)
            attempts = self.do(self.field.pool.fetchval(ATTEMPTS, self.ground.workspace_id))
            assert attempts == ended == len(self.given) - sum(task.holder is not None for task in self.tasks)
        finally:
            # The reaper sweeps all workspaces: the next sequence must not meet this one's leases.
            self.do(self.field.pool.execute("DELETE FROM workspaces WHERE id = $1", self.ground.workspace_id))

    def one(self, data: st.DataObject) -> Given:
        held = [given for given in self.given if given.held]
        if held and data.draw(st.booleans()):
            return data.draw(st.sampled_from(held))
        return self.given[-1 - data.draw(st.integers(0, min(4, len(self.given) - 1)))]

    def holder(self, given: Given) -> Holder:
        return Holder(self.ground.workspace_id, given.task.id, given.fence, self.workers[given.worker].key_id)

    @staticmethod
    def end_of(report: Completion | Failure | Release) -> Callable[..., Any]:
        if isinstance(report, Completion):
            return outcomes.complete
        return outcomes.fail if isinstance(report, Failure) else outcomes.release


ENDS = ("completed", "failed", "released", "expired")
ATTEMPTS = "SELECT count(*) FROM attempts WHERE workspace_id = $1"


@pytest.mark.timeout(3600)
def test_no_sequence_of_events_gives_a_task_to_two_or_loses_one(dsn: str) -> None:
    with asyncio.Runner() as runner:
        pool = runner.run(pools.connect(dsn, size=2))
        connection = runner.run(pools.dedicated(dsn, application_name="test"))

        class Machine(Leases):
            field = Field(runner.get_loop(), pool, connection)

        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=int(os.environ.get("LOCUS_EXAMPLES", "40")),
                    stateful_step_count=50,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(connection.close())
            runner.run(pool.close())
