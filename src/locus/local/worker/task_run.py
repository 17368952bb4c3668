"""One task, from its claim to its outcome: agent, checks, commit, push, proof.

The order is the promise. Nothing is pushed that was not checked, nothing is reported that is not on the remote, and
before each step that the outside can see, the lease is certain to be ours.
"""

import errno
from collections.abc import Sequence

from locus.client.errors import PlaneError
from locus.local.context import documents, prompt
from locus.local.context.documents import Document
from locus.local.discussion.insights import told_about
from locus.local.errors import LocalError
from locus.local.evidence.checks import CheckResult
from locus.local.git.changes import Changes, Unfit, between
from locus.local.git.clone import Parked
from locus.local.git.commit import read_ref
from locus.local.git.trouble import GitError
from locus.local.git.worktree import park_commit
from locus.local.process import sweep
from locus.local.project import Check
from locus.local.settings import PROJECT_FILE
from locus.local.worker import summary, told
from locus.local.worker.adoption import adopt
from locus.local.worker.attempt import Attempt, Stopped
from locus.local.worker.conversation import Conversation, Session
from locus.local.worker.delivery import Delivery
from locus.local.worker.going_on import Kept, restore, told_of
from locus.local.worker.ground import Ground
from locus.local.worker.inspection import SHOWN, inspect
from locus.local.worker.mapping import repository
from locus.local.worker.outcome import TROUBLE, Completed, Ended, Failed, Lost, Outcome, Released
from locus.local.worker.proof import Proof
from locus.local.worker.report import report_of
from locus.local.worker.stop import StopReason
from locus.wire.tasks import Phase
from locus.wire.work import FailReason, Failure, Release, ReleaseReason

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class TaskRun:
    """The attempt on one claimed task."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.work, self.site, self.key = attempt.work, attempt.site, attempt.key
        self.agent = Conversation(attempt)
        self.delivery = Delivery(attempt, self._prove_again, self._announce)
        self.went_on = False  # with the work of an earlier attempt
        self.unfinished: Kept | None = None  # to go on with later, when the attempt was cut off
        self.base: str | None = None  # the commit that the task starts from, once the tree is prepared
        self.checks: tuple[Check, ...] = ()  # that may have to pass, whatever the agent changes
        self.summary: str | None = None  # of the agent's last words, for a workspace that asks for it
        self.ground = Ground(attempt)
        self.proof = Proof(attempt, self.ground)

    async def run(self) -> Outcome:
        """Do the task. Every way of ending is one of the outcomes; what was done is never thrown away."""
        try:
            commit = await self._work()
        except Ended as e:
            return await self._failed(e)
        except Stopped:
            return await self._stopped()
        except GitError as e:
            return await self._failed(Ended(TROUBLE.get(e.reason, FailReason.SETUP_FAILED), str(e)))
        except LocalError as e:
            return await self._failed(Ended(FailReason.SETUP_FAILED, str(e)))
        except OSError as e:
            if e.errno not in NO_ROOM:
                raise
            what = "What the attempt said could not be written down" if e.filename is None else str(e.filename)
            return await self._failed(Ended(FailReason.DISK_FULL, f"{what}: {e.strerror}."))
        finally:
            self.attempt.records.close()
        return self._completed(commit)

    def _completed(self, commit: str) -> Completed:
        evidence = tuple(result.evidence(commit) for result in self.proof.results)
        return Completed(commit, self.site.branch, evidence, self.attempt.spending.numbers(), self.summary)

    def _announce(self, base: str, commit: str) -> None:
        report = report_of(self._completed(commit), fence=self.attempt.lease.fence)
        assert report is not None, "a completed attempt has something to report"
        self.attempt.journal.committed(self.attempt.marker, base=base, made=commit, report=report)

    async def _work(self) -> str:
        self.checks = self.proof.possible()
        self.base = await self._prepare()
        self.attempt.journal.prepared(self.attempt.marker, base=self.base)
        match await adopt(self.attempt, self.proof, self._announce):
            case str(commit):
                self.site.green[commit] = {result.check.name for result in self.proof.results}
                return commit
            case red:
                await self._begin(red or (), self.base)
        changes = await self._until_green()
        if summary.wanted(self.attempt):
            self.summary = await summary.summarised(self.attempt, self.agent.answer, changes, base=self.base)
        await self.delivery.make_commit(changes, base=self.base, proof=self.proof.results)
        commit = await self.delivery.deliver()
        self.site.green[commit] = {result.check.name for result in self.proof.results}
        return commit

    async def _begin(self, red: Sequence[CheckResult], base: str) -> None:
        """Have the agent do the task; `red` are the checks that fail on what an earlier attempt has pushed of it."""
        if await self._goes_on():
            return
        task = await self._prompt()
        if red:
            await self.site.reset_to(f"{base}^{{tree}}", base=base)
            self.proof.results = []  # they are of a commit that is not this attempt's
            task = f"{task}\n{prompt.repair_prompt(red, round_number=1, rounds=self.work.options.check_rounds)}"
        await self.agent.begin(task)

    async def _goes_on(self) -> bool:
        """Go on where an earlier attempt was cut off, if there was one, its work fits and its agent remembers."""
        earlier, base = self.attempt.kept, self.base
        if earlier is None or base is None:
            return False
        restored = await restore(self.site, earlier, base)
        if restored is not None:
            self.work.tell(told.WentOn(key=self.key, fence=earlier.fence, moved=restored.moved))
            self.agent.session = Session(earlier.session, earlier.used)
            self.went_on = True
            if await self.agent.resume(prompt.resume_prompt(moved=restored.moved)):
                return True
            self.went_on = False
            await self.site.reset_to(f"{base}^{{tree}}", base=base)
        self.work.tell(told.Note(text=f"{self.key} begins again: what it had could not be gone on with."))
        return False

    # ---- before the agent

    async def _prepare(self) -> str:
        self.attempt.enter(Phase.PREPARING)
        self.work.tell(told.Preparing(key=self.key))
        base = await self.site.prepare()
        await self._compare_config()
        await self.ground.set_up()
        return base

    async def _compare_config(self) -> None:
        """Say once in a run that the branch is configured otherwise than the user's checkout, which counts."""
        if self.site.looked_at_config:
            return
        self.site.looked_at_config = True
        if await self.site.has_another(PROJECT_FILE, self.work.project.source):
            text = f"{self.site.branch} has another {PROJECT_FILE} than your checkout; that of your checkout counts."
            self.work.tell(told.Note(text=text))

    async def _prompt(self) -> str:
        tree = self.site.tree
        background = prompt.Background(
            instructions=documents.instructions(tree),
            learnings=documents.learnings(tree),
            insights=told_about(self.work.folder, prompt.subject(self.attempt.snapshot)),
            docs=await self._docs(),
            codebase=await repository(self.attempt),
            earlier=await self.site.earlier(),
            checks=self.checks,
            protected=self.work.project.protected,
        )
        return prompt.task_prompt(self.attempt.snapshot, background)

    async def _docs(self) -> list[Document]:
        try:
            found = [await self.work.plane.docs.get(ref.id) for ref in self.attempt.snapshot.docs]
        except PlaneError as e:
            raise Ended(FailReason.SETUP_FAILED, f"A document of the task could not be read: {e}") from e
        return [Document(doc.title, doc.text) for doc in found]

    # ---- after it

    async def _until_green(self) -> Changes:
        """Look at what the agent left, and check it; what is red goes back to it, a bounded number of times."""
        assert self.base is not None
        rounds, done, warned = self.work.options.check_rounds, 0, False
        while True:
            changes = await self._changes()
            places = await self._inspect(changes)
            if places:
                if warned:
                    raise Ended(FailReason.POLICY, f"The change holds secrets: {', '.join(places[:SHOWN])}.")
                warned = True
                self.work.tell(
                    told.Note(text=f"{self.key}: secrets in {', '.join(places[:SHOWN])}; the agent is told.")
                )
                await self.agent.go_on(prompt.secrets_prompt(places), from_scratch=await self._prompt())
                continue
            red = await self.proof.of(changes, base=self.base)
            if not red:
                return changes
            names = tuple(result.check.name for result in red)
            if done == rounds:
                raise Ended(FailReason.CHECKS_FAILED, f"{', '.join(names)} still red after {rounds} more tries.")
            done += 1
            self.work.tell(told.ChecksRed(key=self.key, names=names, round_number=done, rounds=rounds))
            # What the checks wrote into the tree is nobody's work.
            await self.site.reset_to(changes.tree, base=self.base)
            repair = prompt.repair_prompt(red, round_number=done, rounds=rounds)
            await self.agent.go_on(repair, from_scratch=await self._prompt())

    async def _changes(self) -> Changes:
        """What the agent left, if it can be committed."""
        assert self.base is not None
        # Nobody may write while the tree is read, and what is checked afterwards is what was read.
        if await sweep(self.attempt.marker) and await sweep(self.attempt.marker):
            raise Ended(FailReason.AGENT_FAILED, "Processes of the agent go on running and cannot be ended.")
        self.attempt.journal.at_agent(self.attempt.marker, False)
        try:
            changes = await self.site.changes(self.base)
        except Unfit as e:
            raise Ended(FailReason.UNSTAGEABLE, str(e)) from e
        if not changes:
            raise Ended(FailReason.NO_CHANGE, "The tree is as it was before.")
        self.attempt.spending.count(changes)
        return changes

    async def _inspect(self, changes: Changes) -> list[str]:
        """The places of secrets in a change; one that a rule holds back for a person ends the attempt."""
        assert self.base is not None
        seen = await inspect(self.site.git, self.work.project, changes, base=self.base)
        if seen.held:
            raise Ended(FailReason.POLICY, f"{seen.why}.")
        return [str(finding) for finding in seen.secrets]

    async def _prove_again(self) -> Sequence[CheckResult]:
        """Check the commit that was put on top of what others pushed; returns the red results."""
        assert self.delivery.commit is not None, "it was just made"
        base = await self.site.git.text("rev-parse", "--verify", f"{self.delivery.commit}^")
        return await self.proof.of(await between(self.site.git, base, f"{self.delivery.commit}^{{tree}}"), base=base)

    # ---- ends that are not the good one

    def last_words(self) -> Release | Failure:
        """What the server is told when everything must end at once: the task should not wait for its lease to end."""
        return Release(fence=self.attempt.lease.fence, reason=ReleaseReason.INTERRUPTED)

    async def _failed(self, end: Ended) -> Outcome:
        if not self.attempt.stop.holds_the_lease:
            return await self._stopped()
        parked = await self._park()
        # Evidence is of a commit; that of a failed attempt is of the one that keeps its work.
        kept = await read_ref(self.site.git, parked) if parked else None
        if end.reason is FailReason.USAGE_LIMIT:
            self.unfinished = await self._unfinished(parked)
        return Failed(
            end.reason,
            end.detail,
            self.attempt.spending.numbers(),
            evidence=tuple(result.evidence(kept) for result in self.proof.results) if kept else (),
            resets_at=end.resets_at,
            parked=parked,
        )

    async def _stopped(self) -> Outcome:
        parked = await self._park()
        if not self.attempt.stop.holds_the_lease:
            self.unfinished = await self._unfinished(parked)  # after a sleep, nobody else may have had the task
        match self.attempt.stop.reason:
            case StopReason.CANCELLED:
                return Failed(FailReason.CANCELLED, "", self.attempt.spending.numbers(), parked=parked)
            case StopReason.LEASE_LOST:
                return Lost("the server gave the task to somebody else", parked=parked)
            case StopReason.SELF_FENCED:
                return Lost("no heartbeat was acknowledged for too long", parked=parked)
            case StopReason.TASK_LIMIT:
                return Failed(
                    FailReason.BUDGET, self.attempt.stop.detail, self.attempt.spending.numbers(), parked=parked
                )
            case StopReason.RUN_LIMIT:
                numbers, why = self.attempt.spending.numbers(), self.attempt.stop.detail
                return Released(ReleaseReason.STOPPED, numbers, parked=parked, detail=why)
            case _:
                return Released(ReleaseReason.INTERRUPTED, self.attempt.spending.numbers(), parked=parked)

    async def _unfinished(self, parked: str | None) -> Kept | None:
        """What is left to go on with, when the agent remembers."""
        attempt, session = self.attempt, self.agent.session
        if session is None or self.base is None:
            return None
        commit = await read_ref(self.site.git, parked) if parked else None
        return Kept(
            task_id=attempt.lease.task_id,
            fence=attempt.lease.fence,
            told=told_of(attempt.snapshot),
            provider=self.work.provider.NAME,
            session=session.id,
            used=session.used,
            base=self.base,
            work=Parked(parked, commit, self.site.git.directory) if parked and commit else None,
            budget=attempt.meter.account.budget,
        )

    async def _park(self) -> str | None:
        """Keep what was done under a ref of ours. When even that fails, the tree itself is still there."""
        if self.base is None:
            return None
        key, fence, workspace = self.key, self.attempt.lease.fence, self.attempt.snapshot.task.workspace_id
        try:
            if (made := self.delivery.commit) is not None:
                return await park_commit(self.site.git, made, task=key, fence=fence, workspace=workspace)
            identity, base = self.work.checkout.identity, self.base
            tree = self.site.worktree
            return await tree.park(base=base, task=key, fence=fence, identity=identity, workspace=workspace)
        except (LocalError, OSError) as e:
            self.work.tell(told.Note(text=f"The work on {self.key} could not be parked: {e}"))
            return None
