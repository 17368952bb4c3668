"""What was said about one task's work, done by the agent that did the task: a change, checked, committed and pushed.

As in an attempt, nothing is pushed that was not checked, and never with force. There is no lease: the task is in
review, and nobody else works on it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import uuid4

from msgspec import Struct, field

from locus.local.context.prompt import repair_prompt, secrets_prompt
from locus.local.errors import LocalError
from locus.local.evidence import selection
from locus.local.evidence.checks import CheckResult, run_checks
from locus.local.git.changes import Changes, between
from locus.local.git.commit import Message, Trailers, commit, read_ref
from locus.local.git.history import Commit
from locus.local.git.publish import Conflict, Pushed, Rebased, Refused, Rejected, Vanished, publish
from locus.local.git.worktree import PARKED, parked_ref
from locus.local.process import base_environment
from locus.local.providers.base import Ending, Event, Finished, Spent, Text, whole
from locus.local.sessions.answer import AgentEnded
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session, Turn as Kept
from locus.local.sessions.shelf import Shelf
from locus.local.sessions.turn import turn
from locus.local.worker import told
from locus.local.worker.criticism import ANSWERS, Criticism, answers_in, criticism_prompt, criticism_text
from locus.local.worker.delivery import NO_CHECKS, PUSHES
from locus.local.worker.follow_purse import FollowPurse
from locus.local.worker.follow_review import reviewed
from locus.local.worker.inspection import inspect
from locus.local.worker.records import Remembered
from locus.local.worker.set_up import set_up
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace


class Followed(Struct, frozen=True):
    """What came of it. `commit` is None when the agent changed nothing."""

    commit: str | None
    answers: dict[str, str]
    results: tuple[CheckResult, ...]
    resumed: bool  # whether the agent remembered its work


class FollowUp(Struct):
    """One round on the work of one task, in an open site."""

    work: Workplace
    site: Site
    task: str
    title: str
    last: Commit  # the newest commit of the task on the branch
    criticism: Criticism
    earlier: Remembered | None
    shelf: Shelf
    purse: FollowPurse
    stop: asyncio.Event
    hear: Callable[[Event], None]
    ready: Callable[[Followed], Awaitable[None]]
    """Called when it is certain what is pushed, and before it is; what it raises keeps it from being pushed."""
    required: Sequence[str] = ()
    max_usd: float | None = None
    max_turns: int | None = None
    marker: str = field(default_factory=lambda: str(uuid4()))
    spent: float = 0.0  # US dollars, as far as the agent tells them
    _answers: dict[str, str] = field(default_factory=dict)
    _limit: str | None = None
    _ending: asyncio.Event = field(default_factory=asyncio.Event)  # a limit of this task stops this task alone

    async def run(self) -> Followed:
        """Do it on the branch as it is now.

        Raises AgentEnded, LocalError, GitError; then nothing was pushed, and what the agent did is kept.
        """
        also = asyncio.ensure_future(self._end_when_stopped())
        try:
            return await self._run()
        finally:
            also.cancel()

    async def _end_when_stopped(self) -> None:
        await self.stop.wait()
        self._ending.set()

    async def _run(self) -> Followed:
        base = await self.site.prepare()
        if self.site.fetched is None or self.site.fetched.head is None:
            raise LocalError(f"{self.site.branch} is not on the remote any more.", remedy="Nothing was changed.")
        await self._set_up()
        try:
            return await self._work(base)
        except LocalError as e:
            e.remedy = " ".join(filter(None, [e.remedy, await self._park(base)]))
            raise

    async def _work(self, base: str) -> Followed:
        session, resumed = self._session()
        prompt = self._prompt(resumed=resumed)
        about = f"What was said about {self.task}: {self.title}"
        finished = await self._ask(session, prompt, said=about)
        if finished.ending is Ending.SESSION_LOST:
            resumed, prompt = False, self._prompt(resumed=False)
            finished = await self._ask(session, prompt, said=about)
        self._done(finished)
        changes, results = await self._until_green(base, session, prompt)
        if changes:
            return await self._deliver(changes, base, results, resumed=resumed)
        done = Followed(None, self._answers, (), resumed)
        await self.ready(done)
        return done

    # ---- the agent

    def _session(self) -> tuple[Session, bool]:
        """The agent's own conversation where it is remembered, and whether it is."""
        provider, tree = self.work.provider.NAME, self.site.tree
        sandboxed = self.site.sandbox is not None
        session = self.shelf.new(root=tree, cwd=tree, provider=provider, sandboxed=sandboxed, read_only=False)
        earlier = self.earlier
        same = earlier is not None and (earlier.provider, earlier.sandboxed) == (provider, sandboxed)
        if earlier is None or not same or earlier.slot != self.site.clone.slot:
            return session, False
        session.native, session.model = earlier.session, earlier.model
        session.turns.append(
            Kept(
                prompt=f"{self.task}: {self.title}",
                answer="",
                ending=Ending.DONE,
                detail="done by a worker",
                at=datetime.now(UTC),
                seconds=0.0,
                input_tokens=earlier.input_tokens,
                cached_tokens=earlier.cached_tokens,
                output_tokens=earlier.output_tokens,
                usd=earlier.usd,
            )
        )
        return session, True

    def _prompt(self, *, resumed: bool) -> str:
        names = [check.name for check in self.work.project.checks if check.always or check.name in self.required]
        return criticism_prompt(self.task, self.title, self.criticism, resumed=resumed, checks=names)

    async def _ask(self, session: Session, prompt: str, *, said: str | None = None) -> Finished:
        if (limit := self._over()) is not None:
            raise LocalError(limit)
        desk = self._desk(max_usd=None if self.max_usd is None else max(self.max_usd, 0.01))
        finished: Finished | None = None
        texts: list[Text] = []
        events = turn(desk, self.shelf, session, prompt, said=said, stop=self._ending, schema=ANSWERS, parts=True)
        async with aclosing(events):
            async for event in events:
                match event:
                    case Text():
                        texts.append(event)
                    case Finished():
                        finished = event
                self._heard(event)
        assert finished is not None, "a turn's last event is always Finished"
        self._answers |= answers_in(finished.structured or (whole(texts)[-1] if texts else ""))
        return finished

    def _desk(self, *, max_usd: float | None) -> Desk:
        options = self.work.options
        return Desk(
            provider=self.work.provider,
            environment=self.work.environment,
            folder=self.work.folder,
            root=self.site.tree,
            cwd=self.site.tree,
            sandbox=self.site.sandbox,
            read_only=False,
            silence=options.silence,
            wall=self.purse.wall(self.task, options.wall),
            model=options.model,
            effort=options.effort,
            max_turns=self.max_turns,
            max_usd=max_usd,
            account=self.purse.account(self.task),
        )

    def _heard(self, event: Event) -> None:
        """Count what the agent or its reviewer takes, and stop it at a limit."""
        match event:
            case Spent() if self._limit is None and (limit := self._over()) is not None:
                self._limit = limit
                self._ending.set()
            case Finished(usage=usage):
                self.spent += usage.usd or 0.0
        self.hear(event)

    def _over(self) -> str | None:
        """Why no model may be asked any more; None when it may."""
        limit = self.purse.over(self.task)
        return None if limit is None else f"{limit.sentence} ({limit.name})"

    def _done(self, finished: Finished) -> None:
        if self._limit is not None:
            raise LocalError(self._limit)
        if finished.ending is not Ending.DONE:
            raise AgentEnded(finished)

    # ---- its change

    async def _until_green(self, base: str, session: Session, first: str) -> tuple[Changes, list[CheckResult]]:
        """Look at what the agent left, and check it; what is wrong goes back to it, a bounded number of times."""
        rounds = self.work.options.check_rounds
        for done in range(rounds + 1):
            changes = await self.site.changes(base)
            if not changes:
                return changes, []
            seen = await inspect(self.site.git, self.work.project, changes, base=base)
            if seen.held:
                raise LocalError(f"A person has to do this: {seen.why}.")
            if seen.secrets:
                wrong = secrets_prompt([str(one) for one in seen.secrets])
                names = "secrets"
                results: list[CheckResult] = []
            else:
                results = await self._prove(changes, base)
                red = [result for result in results if not result.passed]
                if not red:
                    return changes, results
                names = ", ".join(result.check.name for result in red)
                wrong = repair_prompt(red, round_number=done + 1, rounds=rounds)
            if done == rounds:
                raise LocalError(f"{names} still red after {rounds} more tries.")
            self.work.tell(told.ChecksRed(key=self.task, names=(names,), round_number=done + 1, rounds=rounds))
            await self.site.reset_to(changes.tree, base=base)
            finished = await self._ask(session, wrong if session.native else f"{first}\n{wrong}", said=wrong)
            if finished.ending is Ending.SESSION_LOST:
                finished = await self._ask(session, f"{first}\n{wrong}", said=wrong)
            self._done(finished)
        raise AssertionError("the last round returns or raises")

    async def _set_up(self) -> None:
        def begins(command: str) -> None:
            self.work.tell(told.Preparing(key=self.task, command=command))

        wrong = await set_up(self.work, self.site, marker=self.marker, begins=begins)
        if wrong is not None:
            raise LocalError(f"The tree could not be set up: {wrong}", remedy="Nothing was changed.")

    async def _prove(self, changes: Changes, base: str) -> list[CheckResult]:
        work, site = self.work, self.site
        await site.reset_to(changes.tree, base=base)

        async def restore() -> None:
            await site.worktree.restore(changes.tree)

        results = await run_checks(
            selection.due(work.project.checks, {*self.required}, changes.paths),
            tree=site.tree,
            env=base_environment(work.environment),
            marker=self.marker,
            started=lambda check: work.tell(told.CheckStarted(key=self.task, check=check)),
            finished=lambda result: work.tell(told.CheckFinished(key=self.task, result=result)),
            restore=restore,
            sandbox=site.sandbox,
        )
        # What the user's checkout asks for counts, whatever the branch says.
        if work.project.review_required and all(result.passed for result in results):
            results = [*results, await self._reviewed(changes, base)]
        return results

    async def _reviewed(self, changes: Changes, base: str) -> CheckResult:
        if (limit := self._over()) is not None:
            raise LocalError(limit)
        try:
            return await reviewed(
                self.work,
                self.site,
                changes,
                base=base,
                key=self.task,
                title=self.title,
                asked=criticism_text(self.criticism),
                desk=self._desk(max_usd=self.max_usd),
                shelf=self.shelf,
                stop=self._ending,
                hear=self._heard,
            )
        except AgentEnded as e:
            if self._limit is not None:
                raise LocalError(self._limit) from e
            raise

    async def _park(self, base: str) -> str:
        """Keep what is in the tree; says what became of it."""
        identity, number = self.work.checkout.identity, self.last.attempt or 0
        try:
            # Beside what earlier follow-ups have left.
            while await read_ref(self.site.git, parked_ref(task=self.task, fence=number)) is not None:
                number += 1
            ref = await self.site.worktree.park(base=base, task=self.task, fence=number, identity=identity)
        except LocalError as e:
            return f"Nothing was pushed, and the change is lost: {e.message}"
        if ref is None:
            return "Nothing was pushed."
        return f"Nothing was pushed; the change is kept as {ref.removeprefix(f'{PARKED}/')}: locus parked list"

    # ---- to the remote

    async def _deliver(self, changes: Changes, base: str, results: list[CheckResult], *, resumed: bool) -> Followed:
        """Commit and push, again on top of what others push meanwhile. Returns the commit, and what proved it."""
        made = await self._commit(changes, base, results)
        for _ in range(PUSHES):
            done = Followed(made, self._answers, tuple(results), resumed)
            await self.ready(done)
            match await publish(self.site.git, self.work.checkout.remote.push_url, made, self.site.branch):
                case Pushed():
                    return done
                case Refused(text=text):
                    raise LocalError(f"The remote refused the push: {text}")
                case Rejected(head=head):
                    onto = head or await self.site.fetch_head()
            if onto is None:
                raise LocalError(f"{self.site.branch} is not on the remote any more.")
            match await self.site.rebase(made, onto):
                case Conflict(paths=paths):
                    raise LocalError(f"It conflicts with what was pushed meanwhile: {', '.join(paths[:5])}.")
                case Vanished():
                    raise LocalError("Others pushed the same change meanwhile.")
                case Rebased(sha=sha):
                    changes = await between(self.site.git, onto, f"{sha}^{{tree}}")
                    results = await self._prove(changes, onto)
                    if red := [result.check.name for result in results if not result.passed]:
                        raise LocalError(f"{', '.join(red)} red on top of what was pushed meanwhile.")
                    made = await self._commit(changes, onto, results)
        raise LocalError(f"{self.site.branch} moved {PUSHES} times while we were pushing to it.")

    async def _commit(self, changes: Changes, base: str, results: Sequence[CheckResult]) -> str:
        proved = ", ".join(f"{result.check.name}: {result.why}" for result in results) or NO_CHECKS
        trailers = Trailers(self.task, self.last.attempt or 0, self.site.agent_name, proved)
        about = "what was said about it" if self.criticism.threads or self.criticism.remarks else "what failed"
        return await commit(
            self.site.git,
            tree=changes.tree,
            parent=base,
            message=Message(f"{self.task}: {about}", trailers, body=self.title),
            identity=self.work.checkout.identity,
        )
