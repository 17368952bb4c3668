"""The loop of `locus run`. Read this first.

Register, prepare the branch of the sprint, then: claim a task, run it, report it, until nothing is left or somebody
says stop. At the end one pull request, and the base branch in the tree. A task is in task_run.py, its ends are in
outcome.py.
"""

import asyncio
import time
from uuid import UUID, uuid4

from msgspec import Struct

from locus.client.errors import NotFound, PlaneError
from locus.local.errors import LocalError
from locus.local.journal import LEDGER, Journal, Ledger
from locus.local.sessions.spending import UNCOUNTED
from locus.local.worker import pull_request, resume, told
from locus.local.worker.agent import registration
from locus.local.worker.allowance import Allowance
from locus.local.worker.attempt import Attempt
from locus.local.worker.claiming import BudgetSpent, Claiming
from locus.local.worker.ending import Ending
from locus.local.worker.going_on import Unfinished
from locus.local.worker.heartbeat import Heartbeat
from locus.local.worker.meter import Purse
from locus.local.worker.outcome import Outcome, Released, Tally
from locus.local.worker.parking import OnLimit
from locus.local.worker.recovery import Recovery
from locus.local.worker.report import give_back
from locus.local.worker.settling import LAST_WORDS, settle
from locus.local.worker.site import Site
from locus.local.worker.stop import Stop, StopReason
from locus.local.worker.task_run import TaskRun
from locus.local.worker.why import Interrupted, Why, branch_of, drained, reason_to_stop
from locus.local.worker.workplace import Workplace
from locus.wire.agents import Agent, AgentState, Heartbeat as Beat
from locus.wire.sprints import Sprint
from locus.wire.work import Lease, ReleaseReason, SprintProgress, TaskSnapshot

JOURNAL = "journal.sqlite3"
WAIT_MS = 25_000  # of one long poll
DRAINING_WAIT_MS = 800  # of one, when the run ends as soon as others have finished their tasks
SPRINT_POLL = 2.0  # seconds between looks for an active sprint, when there is none
NO_CHECKS = "No checks are configured, so work goes to review unproved. Add some to .locus/config.toml."


class Result(Struct, frozen=True):
    """What a run came to. `succeeded` decides the exit code."""

    tally: Tally
    why: str
    succeeded: bool


class Run:
    """One run: a worker on one sprint, from its registration to its pull request."""

    def __init__(self, work: Workplace) -> None:
        self.work = work
        self.tally = Tally()
        self.ending = Ending()
        self.allowance = Allowance(work, self.ending)
        self.journal = Journal(work.state / JOURNAL)
        self.purse = Purse(
            Ledger(work.state / LEDGER),
            work.options.limits,
            work.prices,
            tell=lambda text: work.tell(told.Note(text=text)),
            run=str(uuid4()),
        )
        self.unfinished = Unfinished(work.checkout)
        self._current: Stop | None = None
        self._began = time.monotonic()

    @property
    def interrupted(self) -> asyncio.Event:
        """Set when a person has stopped the run."""
        return self.ending.interrupted

    def interrupt(self, signal: str) -> None:
        """Stop as soon as the work is safe: parked or finished, and the lease given back."""
        if not self.interrupted.is_set():
            self.ending.interrupt()
            self.work.tell(told.Stopping(signal=signal))
            if self._current is not None:
                self._current.ask(StopReason.INTERRUPTED)

    def _out_of_time(self, sentence: str) -> None:
        if self._current is not None:
            self._current.ask(StopReason.RUN_LIMIT, sentence)

    async def run(self) -> Result:
        """Work until there is nothing left to do. Raises LocalError and PlaneError when it cannot begin."""
        if (minutes := self.work.options.limits.run.minutes) is not None:
            self.ending.after(minutes, self._out_of_time)
        try:
            sprint = await self._sprint()
            while True:
                why, progress, proposed = await self._shift(sprint)
                if why.hand_over is None:
                    break
                sprint = self._sprint_now
                self.work = self.allowance.hand_over(why.hand_over)
        finally:
            self.ending.cancel()
        # A task that failed first and was done later is no failure of the run.
        open_failures = set(self.tally.failed) - set(self.tally.completed)
        succeeded = proposed and not open_failures and why.ordinary and not self.interrupted.is_set()
        seconds = time.monotonic() - self._began
        self.work.tell(told.RunEnded(tally=self.tally, why=why.sentence, seconds=seconds, progress=progress))
        return Result(self.tally, why.sentence, succeeded)

    async def _shift(self, sprint: Sprint) -> tuple[Why, SprintProgress | None, bool]:
        """Work with one provider, as an agent of its own; returns also whether what was to be proposed is."""
        agent = await self.work.plane.agents.register(registration(self.work))
        heartbeat = Heartbeat(self.work.connect, agent.id, tell=self.work.tell)
        heartbeat.start()
        site: Site | None = None
        try:
            await Recovery(self.work, self.journal).run()
            site = await Site.open(self.work, branch=branch_of(sprint), agent_name=agent.name)
            self._tell_start(sprint, agent, site)
            if self.work.options.resume:
                await resume.look_around(self.work, site)
            why, progress = await self._work_through(site, heartbeat, agent, sprint)
            wanted = why.drained and self.work.options.pull_request
            proposed = not wanted or await pull_request.propose(self.work, site, self._sprint_now)
        finally:
            heartbeat.end()
            await self._leave(agent, site)
        return why, progress, proposed

    # ---- the beginning

    async def _sprint(self) -> Sprint:
        wanted = self.work.options.sprint or "active"
        waiting = False
        while True:
            try:
                return await self.work.plane.sprints.get(wanted)
            except NotFound as e:
                if wanted != "active":
                    raise LocalError(f"There is no sprint {wanted}.", remedy="See them with: locus sprints list") from e
                if not self.work.options.watch:
                    raise LocalError(
                        "No sprint is active, so there is nothing to claim.",
                        remedy="Start one: locus sprints start 1. Or wait for one: locus run --watch",
                    ) from e
            if not waiting:
                self.work.tell(told.Waiting(progress=None))
                waiting = True
            await self.ending.unless(asyncio.sleep(SPRINT_POLL))
            if self.ending.is_set:
                raise Interrupted if self.interrupted.is_set() else LocalError(self.ending.why.sentence)

    def _tell_start(self, sprint: Sprint, agent: Agent, site: Site) -> None:
        self.work.tell(
            told.RunStarted(
                agent=agent.name,
                provider=self.work.provider.NAME,
                provider_version=self.work.provider_version,
                model=self.work.options.model,
                sprint=f"Sprint {sprint.number}: {sprint.name}",
                branch=site.branch,
                base=site.base_branch,
                in_place=self.work.options.in_place,
                network=self.work.policy.network if self.work.policy else None,
            )
        )
        if not self.work.project.checks:
            self.work.tell(told.Note(text=NO_CHECKS))
        if self.work.options.limits.needs_a_stream and not self.work.provider.COUNTS:
            self.work.tell(told.Note(text=UNCOUNTED))

    # ---- the work

    async def _work_through(
        self, site: Site, heartbeat: Heartbeat, agent: Agent, sprint: Sprint
    ) -> tuple["Why", SprintProgress | None]:
        """Claim and run tasks until there is a reason to stop; returns the reason and what is left."""
        self._sprint_now = sprint
        claiming = Claiming(self.work, self.journal.claims, self.ending, agent.id)
        try:
            return await self._claim_and_run(site, heartbeat, claiming)
        finally:
            claiming.close()

    async def _claim_and_run(
        self, site: Site, heartbeat: Heartbeat, claiming: Claiming
    ) -> tuple["Why", SprintProgress | None]:
        wait_ms = 0
        while True:
            if self.ending.is_set:
                return self.ending.why, None
            if (limit := self.purse.reached()) is not None:
                return Why(f"Stopped. {limit.sentence} ({limit.name})", ordinary=False), None
            try:
                claimed = await claiming.ask(self._sprint_now.id if self.work.options.sprint else None, wait_ms)
            except BudgetSpent as e:
                return Why(f"Stopped. {e}", ordinary=False), None
            if claimed is None:
                continue
            lease, snapshot, progress = claimed.lease, claimed.snapshot, claimed.progress
            if lease is None or snapshot is None:
                if progress is not None and progress.sprint_id != self._sprint_now.id:
                    await self._follow(progress.sprint_id, site)
                if progress is not None and drained(progress) and not self.work.options.watch:
                    return Why("The sprint has nothing left for agents.", drained=True), progress
                if progress is None and not self.work.options.watch:
                    return Why("No sprint is active any more."), None
                self.work.tell(told.Waiting(progress=progress))
                wait_ms = WAIT_MS if self.work.options.watch else DRAINING_WAIT_MS
                continue
            wait_ms = 0
            if snapshot.task.sprint_id is not None and snapshot.task.sprint_id != self._sprint_now.id:
                await self._follow(snapshot.task.sprint_id, site)
            outcome = await self._one(site, heartbeat, lease, snapshot, claim=claiming.granted)
            if (why := await self._reason_to_stop(outcome, heartbeat)) is not None:
                return why, None

    async def _one(
        self, site: Site, heartbeat: Heartbeat, lease: Lease, snapshot: TaskSnapshot, *, claim: str | None
    ) -> Outcome:
        """Run one claimed task and report it; `claim` is the key of its claim."""
        task, began = snapshot.task, time.monotonic()
        stop = self._current = Stop()
        heartbeat.hold(lease, stop)
        self.work.tell(
            told.TaskClaimed(
                key=task.key,
                title=task.title,
                attempt=lease.attempt,
                attempt_cap=task.attempt_cap,
                fence=lease.fence,
            )
        )
        kept = self.unfinished.take(lease, snapshot, self.work.provider.NAME)
        attempt = Attempt(self.work, site, heartbeat, lease, snapshot, stop, self.journal, self.purse, kept)
        task_run = self._task_run(attempt)
        attempt.begin(claim=claim)
        try:
            outcome = await self._outcome(task_run, lease)
            now, outcome = await settle(self.work, self.journal, attempt, outcome)
            await self.unfinished.after(task_run.attempt.kept if task_run.went_on else None, task_run.unfinished)
        finally:
            heartbeat.let_go()
            self._current = None
        self.tally.add(task.key, outcome)
        self.work.tell(
            told.TaskEnded(
                key=task.key, outcome=outcome, status=now.status if now else None, seconds=time.monotonic() - began
            )
        )
        return outcome

    async def _outcome(self, task_run: TaskRun, lease: Lease) -> Outcome:
        try:
            return await task_run.run()
        except asyncio.CancelledError:
            # A second Ctrl+C: no time to park, but the task should not wait for its lease to expire.
            await give_back(self.work.plane, lease, task_run.last_words(), deadline=LAST_WORDS)
            raise

    def _task_run(self, attempt: Attempt) -> TaskRun:
        """What an attempt consists of; a run of another kind has another one."""
        return TaskRun(attempt)

    async def _follow(self, sprint_id: UUID, site: Site) -> None:
        """Another sprint has become the active one: its work goes to its own branch."""
        self._sprint_now = await self.work.plane.sprints.get(sprint_id)
        site.branch = branch_of(self._sprint_now)
        self.work.tell(
            told.Note(text=f"Sprint {self._sprint_now.number} is active now: its work goes to {site.branch}.")
        )

    async def _reason_to_stop(self, outcome: Outcome, heartbeat: Heartbeat) -> Why | None:
        """Why no other task is claimed by this provider now; a used-up allowance is waited out here."""
        if self.ending.is_set:
            return self.ending.why
        if isinstance(outcome, Released) and outcome.reason is ReleaseReason.STOPPED:
            return Why(f"Stopped. {outcome.detail}", ordinary=False)
        if self.work.options.on_limit is not OnLimit.STOP:
            why = await self.allowance.after(outcome, heartbeat)
            if why is not None or self.allowance.waited_for(outcome):
                return why
        return reason_to_stop(outcome, self.tally, max_tasks=self.work.options.max_tasks)

    # ---- the end

    async def _leave(self, agent: Agent, site: Site | None) -> None:
        """Put the base into the tree and say goodbye. Nothing here may hide why the run ended."""
        if site is not None:
            try:
                for remark in await site.leave():
                    self.work.tell(told.Note(text=remark))
            except LocalError as e:
                self.work.tell(told.Note(text=f"The tree could not be put back to {site.base_branch}: {e}"))
        try:
            await self.work.plane.agents.heartbeat(agent.id, Beat(state=AgentState.STOPPED), deadline=LAST_WORDS)
        except PlaneError:
            return  # the server will call it lost; nothing depends on this goodbye
