"""Taking what was said about pull requests back to the agents that made them: what is open, and who does it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from locus.cli.beside import voice
from locus.cli.beside.reply import remedy, why
from locus.cli.beside.reviewing import ENTERPRISE, OURS, Failure
from locus.cli.beside.settling import Opened, Round, Settling
from locus.cli.output import Output
from locus.cli.run.agent_words import agent_line
from locus.local.errors import LocalError
from locus.local.forge.base import ForgeError
from locus.local.forge.reviews import Pull, Reviews, reviews_of
from locus.local.forge.table import forge_for
from locus.local.forge.threads import Talk
from locus.local.git.history import Commit, history, standing
from locus.local.git.lock import Lock
from locus.local.providers.base import Ending, Event, Finished
from locus.local.providers.table import choose
from locus.local.review import place
from locus.local.review.place import Subject
from locus.local.sessions.answer import AgentEnded
from locus.local.sessions.shelf import Shelf
from locus.local.worker.answering import Notebook
from locus.local.worker.attribution import by_task
from locus.local.worker.criticism import Criticism, fitting, gather
from locus.local.worker.follow_purse import FollowPurse
from locus.local.worker.follow_up import FollowUp
from locus.local.worker.records import Remembered, remembered
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace


class Closed(LocalError):
    """The pull request that was named is closed, or merged."""


class Outcome(Struct):
    """What `locus iterate --json` says. `ignored` are those whose words were not taken up."""

    rounds: list[Round] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    usd: float = 0.0


class Iterating(Struct, frozen=True, kw_only=True):
    """One call of `locus iterate`. `named` is whether a person has named the agent, `made` is told each round as soon
    as it is over, and who is `patient` looks again when the forge has trouble that passes.
    """

    work: Workplace
    out: Output
    stop: asyncio.Event
    named: bool
    purse: FollowPurse
    made: Callable[[Round], None]
    patient: bool = False
    agent_command: tuple[str, ...] = ()
    max_usd: float | None = None
    max_turns: int | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _said: list[str] = field(default_factory=list)

    @property
    def _settling(self) -> Settling:
        book = Notebook(self.work.folder.place / "iterated.json")
        return Settling(self.work.plane, book, self._made, self.note)

    def _made(self, made: Round) -> None:
        self.outcome.rounds.append(made)
        self.made(made)

    async def once(self, target: str | None) -> bool:
        """Take up everything that is open now; returns whether there was anything. Raises LocalError, PlaneError."""
        choice, directory = self.work.forge, self.work.state / "pull-requests"
        forge = await forge_for(self.work.checkout.remote, self.work.environment, directory, choice=choice)
        hosted = reviews_of(forge)
        if hosted is None:
            raise LocalError(
                "The remote is on no forge that Locus knows, so there is nobody's review to take up.",
                remedy=f'Send a task back with what is wrong instead: locus tasks reject KEY -m "…"\n{ENTERPRISE}',
            )
        account = await hosted.account()
        if account is None:
            raise LocalError(
                "GitHub does not say whose the token is, so our own answers could not be told from those of others.",
                remedy="Use a token of an account, or of an app.",
            )
        any_ = False
        only = target.upper() if target is not None and not target.isdigit() else None
        pulls = await self._pulls(hosted, target)
        for pull in pulls:
            opened = Opened(hosted, Talk(hosted.github, pull.number), pull, account)
            try:
                any_ |= await self._look(opened, only)
            except LocalError as e:
                if len(pulls) == 1 or self.stop.is_set() or self._waits_for(e):
                    raise
                self._failed(f"pull request {pull.number}", e)
        return any_

    async def _look(self, opened: Opened, only: str | None) -> bool:
        number = opened.pull.number
        if not await self._criticism(opened) and not self._settling.book.waiting(number):
            return False
        with self._alone(number):
            return await self._pull(opened, only)

    def _waits_for(self, error: LocalError) -> bool:
        return self.patient and isinstance(error, ForgeError) and error.passes

    async def _criticism(self, opened: Opened) -> Criticism:
        """What is open; what of it nobody takes up is said once."""
        pull = opened.pull
        criticism = await gather(opened.talk, pull.head, opened.account, taken=self._settling.book.taken(pull.number))
        new = [name for name in criticism.others if name not in self.outcome.ignored]
        if new:
            self.outcome.ignored += new
            self.note(f"Not taken up, for want of write access: what {', '.join(new)} said.")
        if criticism.unseen is not None and criticism.unseen not in self._said:
            self._said.append(criticism.unseen)
            self.note(f"Failed checks are not looked for: {criticism.unseen}")
        return criticism

    @contextmanager
    def _alone(self, number: int) -> Iterator[None]:
        """Nobody else on this machine works on the pull request meanwhile. Raises LocalError."""
        lock = Lock.take(self.work.folder.make().place / f"iterate-{number}.lock")
        if lock is None:
            raise LocalError(
                f"Another `locus iterate` is at work on pull request {number}.", remedy="Wait until it is done."
            )
        try:
            yield
        finally:
            lock.release()

    async def _pulls(self, hosted: Reviews, target: str | None) -> list[Pull]:
        if target is None:
            return [pull for pull in await hosted.opened() if pull.own and pull.branch.startswith(OURS)]
        number = int(target) if target.isdigit() else None
        if number is None:
            task = await self.work.plane.tasks.get(target)
            found = await hosted.github.find(task.branch) if task.branch else None
            if found is None or found.number is None:
                raise LocalError(f"{task.key} is in no open pull request.", remedy="See: locus tasks show " + task.key)
            number = found.number
        pull = await hosted.pull(number)
        if not pull.open:
            raise Closed(f"Pull request {number} is closed or merged, so nothing can be added to it.")
        if not pull.own:
            raise LocalError(
                f"Pull request {number} comes from somebody's copy of the repository, so nothing can be added to it."
            )
        return [pull]

    async def _pull(self, opened: Opened, only: str | None) -> bool:
        pull = opened.pull
        subject = Subject(pull.base, pull.branch)
        async with place.fetched(self.work.checkout, self.work.state, subject) as looked:
            commits = [one for one in await history(looked.clone.git, looked.base, looked.head) if one.task]
            if not commits:
                raise LocalError(f"Pull request {pull.number} has no commit of a task, so no agent of ours made it.")
            any_ = await self._settling.resume(opened, looked)
            # What was read before we were alone with it may be answered by now.
            criticism = await self._criticism(opened)
            parts = await by_task(looked, commits, criticism, only)
        for key, whole in parts.items():
            if self.stop.is_set():
                raise KeyboardInterrupt
            part, left = fitting(whole)
            if left:
                self.note(f"{key}: {left} of what was said is left for the next round; it is too much for one.")
            try:
                await self._task(opened, standing(commits, key)[-1], part)
                any_ = True
            except AgentEnded as e:
                if e.finished.ending is Ending.STOPPED:
                    self.note(f"{key}: {e.remedy or 'Nothing was pushed.'}")
                    raise KeyboardInterrupt from e
                advice = [remedy(e.finished, self.work.provider.NAME), e.remedy]
                self._failed(f"{key}", LocalError(why(e.finished), remedy=" ".join(filter(None, advice))))
            except LocalError as e:
                if self._waits_for(e):
                    raise
                self._failed(f"{key}", e)
        return any_

    def _failed(self, what: str, error: LocalError) -> None:
        self.outcome.failed.append(Failure(what, str(error)))

    # ---- one task

    async def _task(self, opened: Opened, last: Commit, part: Criticism) -> None:
        pull, key, plane = opened.pull, last.task or "", self.work.plane
        if self.max_usd is not None and self.outcome.usd >= self.max_usd:
            raise LocalError(f"The {self.max_usd:g} $ that this call may cost are spent (--max-usd).")
        task = await self._settling.known(key)
        if task is not None and task.agent_id is not None:
            raise LocalError(f"An agent is working on {key}.", remedy="Wait until it is done.")
        workspace = plane.workspace_id
        earlier = remembered(self.work.state, workspace, key) if workspace is not None else None
        work = replace(self._agent(earlier), options=replace(self._agent(earlier).options, base=pull.base))
        title = task.title if task is not None else last.subject.removeprefix(f"{key}: ")
        self.note(f"{key} {title}: {_open(part)}, with {work.provider.NAME}")
        required = (await plane.workspaces.get(workspace)).required_checks if workspace is not None else []
        slot = earlier.slot if earlier is not None else None
        site = await Site.open(work, branch=pull.branch, agent_name=last.agent or work.provider.NAME, slot=slot)
        try:
            follow = FollowUp(
                work=work,
                site=site,
                task=key,
                title=title,
                last=last,
                criticism=part,
                earlier=earlier,
                shelf=Shelf(work.folder),
                purse=self.purse,
                stop=self.stop,
                hear=self._hear,
                ready=lambda done: self._settling.ready(opened, key, part, done),
                required=[*required, *(item.check for item in task.checklist if item.check)] if task else required,
                max_turns=self.max_turns,
                max_usd=None if self.max_usd is None else self.max_usd - self.outcome.usd,
            )
            try:
                await follow.run()
            finally:
                self.outcome.usd += follow.spent
        finally:
            await site.leave()
        (waiting,) = [one for one in self._settling.book.waiting(pull.number) if one.task == key]
        await self._settling.finish(opened, task, waiting, part)

    def _agent(self, earlier: Remembered | None) -> Workplace:
        """Who does it: the one that a person has named, else the one that did the task."""
        work = self.work
        if self.named or earlier is None or earlier.provider == work.provider.NAME:
            return work
        provider = choose(earlier.provider, command=self.agent_command)
        return replace(work, provider=provider, options=replace(work.options, model=earlier.model, effort=None))

    def note(self, said: str) -> None:
        voice.print_beside(self.out, said)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Finished) and (line := agent_line(event)) is not None and not line.startswith("{"):
            self.note(f"· {line}")


def _open(part: Criticism) -> str:
    many = len(part.threads) + len(part.remarks)
    said = [f"{many} comment{'s' * (many != 1)}"] if many else []
    failed = len(part.failing)
    return " and ".join([*said, *([f"{failed} failed check{'s' * (failed != 1)}"] if failed else [])])
