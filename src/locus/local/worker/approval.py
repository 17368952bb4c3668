"""The run that lets one held change through: its own lease, its own tree, one attempt without an agent."""

from uuid import uuid4

from locus.client.errors import Refused
from locus.local.errors import LocalError
from locus.local.journal import HeldChange, OpenClaim
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.claiming import CLAIM_PATIENCE
from locus.local.worker.heartbeat import Heartbeat
from locus.local.worker.held import Held
from locus.local.worker.held_run import Approved, HeldRun
from locus.local.worker.loop import NO_CHECKS, Run
from locus.local.worker.outcome import Completed
from locus.local.worker.site import Site
from locus.local.worker.task_run import TaskRun
from locus.local.worker.why import Why, drained
from locus.local.worker.workplace import Workplace
from locus.wire.agents import Agent
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.work import HeldClaim, SprintProgress

AGENT = "approval"  # the first part of its name


class Approval(Run):
    """A run for one held change that a person has looked at; `by` is who."""

    def __init__(self, work: Workplace, held: Held, *, by: str) -> None:
        super().__init__(work)
        self._held = held
        here, task = held.here(), held.task
        self._approved = Approved(here, held.attempt.agent_name or "unknown", by)
        self._change = HeldChange(task.id, task.key, held.fence, here.ref, here.commit, str(here.git_dir))

    async def _sprint(self) -> Sprint:
        task = self._held.task
        if task.sprint_id is None:
            raise LocalError(
                f"{task.key} is in no sprint, so there is no branch for its change.",
                remedy=f"Put it into one: locus tasks move {task.key} --sprint active",
            )
        sprint = await self.work.plane.sprints.get(task.sprint_id)
        if sprint.status is SprintStatus.COMPLETED:
            raise LocalError(
                f"Sprint {sprint.number} of {task.key} is completed, and its branch with it.",
                remedy=f"Put the task into another one: locus tasks move {task.key} --sprint active",
            )
        return sprint

    def _tell_start(self, sprint: Sprint, agent: Agent, site: Site) -> None:
        self.work.tell(told.Note(text=f"The change goes to {site.branch} as it was shown, if its checks are green."))
        if not self.work.project.checks:
            self.work.tell(told.Note(text=NO_CHECKS))

    async def _work_through(
        self, site: Site, heartbeat: Heartbeat, agent: Agent, sprint: Sprint
    ) -> tuple[Why, SprintProgress | None]:
        self._sprint_now = sprint
        if self.interrupted.is_set():
            return Why("Interrupted.", ordinary=False), None
        claim = self._written_down(agent)
        try:
            claimed = await self.work.plane.dispatch.take(
                self._held.task.id,
                HeldClaim(agent_id=agent.id, fence=self._held.fence),
                idempotency_key=claim.key,
                deadline=CLAIM_PATIENCE,
            )
        except Refused:
            self.journal.claims.end(claim.key)
            raise
        assert claimed.lease is not None, "a task that is taken has a lease"
        assert claimed.snapshot is not None, "and its text"
        outcome = await self._one(site, heartbeat, claimed.lease, claimed.snapshot, claim=claim.key)
        if not isinstance(outcome, Completed):
            return Why("The change is held as before.", ordinary=False), None
        progress = await self.work.plane.sprints.progress(sprint.id)
        return Why("The change is on the branch.", drained=drained(progress)), progress

    def _written_down(self, agent: Agent) -> OpenClaim:
        """The claim, before it is asked for: whatever happens from here on, the change is kept and the task held."""
        assert self.work.plane.workspace_id is not None, "the agent was registered in it"
        claim = OpenClaim(
            key=str(uuid4()),
            workspace_id=self.work.plane.workspace_id,
            root=self.work.checkout.root,
            agent_id=agent.id,
            held=self._change,
        )
        self.journal.claims.begin(claim)
        return claim

    def _task_run(self, attempt: Attempt) -> TaskRun:
        attempt.held = self._change
        return HeldRun(attempt, self._approved)
