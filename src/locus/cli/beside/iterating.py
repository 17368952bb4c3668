"""Taking what was said about pull requests back to the agents that made them: what is open, and who does it."""

import asyncio
import os
from dataclasses import dataclass, field, replace

import msgspec

from locus.cli.beside import voice
from locus.cli.beside.reply import remedy, why
from locus.cli.beside.reviewing import OURS, Failure
from locus.cli.output import Output
from locus.cli.run.agent_words import agent_line
from locus.client.errors import NotFound, PlaneError
from locus.local import files
from locus.local.errors import LocalError
from locus.local.forge.base import PullRequest, State
from locus.local.forge.reviews import Pull, Reviews, reviews_of
from locus.local.forge.table import forge_for
from locus.local.forge.threads import Talk, Thread
from locus.local.git.history import Commit, history, standing
from locus.local.providers.base import Ending, Event, Finished
from locus.local.providers.table import choose
from locus.local.replay.redaction import Redaction
from locus.local.review import place
from locus.local.review.place import Looked, Subject
from locus.local.review.text import harmless
from locus.local.sessions.answer import AgentEnded
from locus.local.sessions.shelf import Shelf
from locus.local.worker import pull_request
from locus.local.worker.criticism import Criticism, answered_mark, gather, thread_name
from locus.local.worker.follow_purse import FollowPurse
from locus.local.worker.follow_up import Followed, FollowUp
from locus.local.worker.records import Remembered, remembered
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace
from locus.wire.tasks import Task


@dataclass(frozen=True)
class Round:
    """What came of one task's part of what was said. `commit` is null when nothing was changed."""

    pull_request: int
    task: str
    commit: str | None
    resumed: bool
    answered: int
    checks: list[str]


@dataclass
class Outcome:
    """What `locus iterate --json` says. `ignored` are those whose words were not taken up."""

    rounds: list[Round] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Iterating:
    """One call of `locus iterate`. `named` is whether a person has named the agent."""

    work: Workplace
    out: Output
    stop: asyncio.Event
    named: bool
    purse: FollowPurse
    agent_command: tuple[str, ...] = ()
    max_usd: float | None = None
    max_turns: int | None = None
    outcome: Outcome = field(default_factory=Outcome)

    async def once(self, target: str | None) -> bool:
        """Take up everything that is open now; returns whether there was anything. Raises LocalError, PlaneError."""
        choice, directory = self.work.forge, self.work.state / "pull-requests"
        forge = await forge_for(self.work.checkout.remote, self.work.environment, directory, choice=choice)
        hosted = reviews_of(forge)
        if hosted is None:
            raise LocalError(
                "The remote is on no forge that Locus knows, so there is nobody's review to take up.",
                remedy='Send a task back with what is wrong instead: locus tasks reject KEY -m "…"',
            )
        account = await hosted.account()
        any_ = False
        only = target.upper() if target is not None and not target.isdigit() else None
        for pull in await self._pulls(hosted, target):
            talk = Talk(hosted.github, pull.number)
            criticism = await gather(talk, pull.head, account, taken=self._taken(pull.number))
            new = [name for name in criticism.others if name not in self.outcome.ignored]
            if new:
                self.outcome.ignored += new
                self._note(f"Not taken up, for want of write access: what {', '.join(new)} said.")
            if criticism:
                any_ |= await self._pull(talk, pull, criticism, only)
        return any_

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
        if not pull.open or not pull.own:
            what = "is closed" if not pull.open else "comes from somebody's copy of the repository"
            raise LocalError(f"Pull request {number} {what}, so nothing can be added to it here.")
        return [pull]

    async def _pull(self, talk: Talk, pull: Pull, criticism: Criticism, only: str | None) -> bool:
        subject = Subject(pull.base, pull.branch)
        async with place.fetched(self.work.checkout, self.work.state, subject) as looked:
            commits = [one for one in await history(looked.clone.git, looked.base, looked.head) if one.task]
            parts = await _by_task(looked, commits, criticism, only)
        if not commits:
            raise LocalError(f"Pull request {pull.number} has no commit of a task, so no agent of ours made it.")
        any_ = False
        for key, part in parts.items():
            if self.stop.is_set():
                raise KeyboardInterrupt
            try:
                await self._task(talk, pull, standing(commits, key)[-1], part)
                any_ = True
            except AgentEnded as e:
                if e.finished.ending is Ending.STOPPED:
                    self._note(f"{key}: {e.remedy or 'Nothing was pushed.'}")
                    raise KeyboardInterrupt from e
                advice = [remedy(e.finished, self.work.provider.NAME), e.remedy]
                self._failed(f"{key}", LocalError(why(e.finished), remedy=" ".join(filter(None, advice))))
            except LocalError as e:
                self._failed(f"{key}", e)
        return any_

    def _failed(self, what: str, error: LocalError) -> None:
        self.outcome.failed.append(Failure(what, str(error)))

    # ---- one task

    async def _task(self, talk: Talk, pull: Pull, last: Commit, part: Criticism) -> None:
        key, plane = last.task or "", self.work.plane
        task = await self._known(key)
        if task is not None and task.agent_id is not None:
            raise LocalError(f"An agent is working on {key}.", remedy="Wait until it is done.")
        workspace = plane.workspace_id
        earlier = remembered(self.work.state, workspace, key) if workspace is not None else None
        work = replace(self._agent(earlier), options=replace(self._agent(earlier).options, base=pull.base))
        title = task.title if task is not None else last.subject.removeprefix(f"{key}: ")
        self._note(f"{key} {title}: {_open(part)}, with {work.provider.NAME}")
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
                required=[*required, *(item.check for item in task.checklist if item.check)] if task else required,
                max_turns=self.max_turns,
                max_usd=None if self.max_usd is None else self.max_usd - self.outcome.usd,
            )
            try:
                done = await follow.run()
            finally:
                self.outcome.usd += follow.spent
        finally:
            await site.leave()
        await self._told(talk, pull, task, key, part, done)

    def _agent(self, earlier: Remembered | None) -> Workplace:
        """Who does it: the one that a person has named, else the one that did the task."""
        work = self.work
        if self.named or earlier is None or earlier.provider == work.provider.NAME:
            return work
        provider = choose(earlier.provider, command=self.agent_command)
        return replace(work, provider=provider, options=replace(work.options, model=earlier.model, effort=None))

    async def _known(self, key: str) -> Task | None:
        try:
            return await self.work.plane.tasks.get(key)
        except NotFound:
            return None  # the commit is of another workspace's task

    # ---- telling

    async def _told(self, talk: Talk, pull: Pull, task: Task | None, key: str, part: Criticism, done: Followed) -> None:
        hide = Redaction(os.environ, {}).content
        end = f"Done in {done.commit[:10]}." if done.commit else "Nothing was changed."

        def words(name: str) -> str:
            said = hide(done.answers.get(name, ""))
            return f"{harmless(said)}\n\n{end}".strip()

        for at, thread in enumerate(part.threads):
            await talk.answer(thread, f"{words(thread_name(at))}\n\n{answered_mark()}")
        if part.remarks:
            said = "\n\n".join(f"> {_quoted(one.text)}\n\n{words(f'R{at + 1}')}" for at, one in enumerate(part.remarks))
            await talk.say(f"{said}\n\n{answered_mark([one.id for one in part.remarks])}")
        self._take(pull.number, [one.id for one in part.failing])
        answered = len(part.threads) + len(part.remarks)
        checks = [f"{result.check.name}: {result.why}" for result in done.results]
        self.outcome.rounds.append(Round(pull.number, key, done.commit, done.resumed, answered, checks))
        if done.commit is None or task is None:
            return
        try:
            linked = PullRequest(pull.number, pull.url, State.OPEN)
            await pull_request.link(self.work.plane, linked, [task], branch=pull.branch, head=done.commit)
            proved = ", ".join(checks) or "no checks"
            said = f"Pull request {pull.number}: {answered} answered, by {done.commit[:10]} ({proved})."
            await self.work.plane.tasks.comment(task.id, said)
        except PlaneError as e:
            self._note(f"The commit is pushed, and the control plane was not told: {e.message}")

    def _note(self, said: str) -> None:
        voice.print_beside(self.out, said)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Finished) and (line := agent_line(event)) is not None and not line.startswith("{"):
            self._note(f"· {line}")

    # ---- failed checks that were taken up, so that each is once

    def _taken(self, number: int) -> list[int]:
        text = files.read_private(self.work.folder.place / "iterated.json")
        try:
            found: dict[str, list[int]] = msgspec.json.decode(text or "{}", type=dict[str, list[int]])
        except msgspec.DecodeError:
            return []
        return found.get(str(number), [])

    def _take(self, number: int, ids: list[int]) -> None:
        if not ids:
            return
        path = self.work.folder.make().place / "iterated.json"
        with files.locked(path):
            text = files.read_private(path)
            try:
                found = msgspec.json.decode(text or "{}", type=dict[str, list[int]])
            except msgspec.DecodeError:
                found = {}
            found[str(number)] = [*found.get(str(number), []), *ids][-200:]
            files.write(path, msgspec.json.encode(found).decode())


async def _by_task(
    looked: Looked, commits: list[Commit], criticism: Criticism, only: str | None
) -> dict[str, Criticism]:
    """What was said, by the task whose commit wrote the line; what is about no line is for the newest task."""
    keys = list(dict.fromkeys(one.task for one in commits if one.task and standing(commits, one.task)))
    if not keys:
        return {}
    general = only if only in keys else keys[-1]
    tasks = {one.sha: one.task for one in commits}
    threads: dict[str, list[Thread]] = {}
    for thread in criticism.threads:
        key = tasks.get(await _wrote(looked, thread) or "") or general
        threads.setdefault(key if key in keys else general, []).append(thread)
    parts = {key: Criticism(threads=tuple(found)) for key, found in threads.items()}
    if criticism.remarks or criticism.failing:
        own = parts.get(general, Criticism())
        parts[general] = replace(own, remarks=criticism.remarks, failing=criticism.failing)
    return {key: parts[key] for key in keys if key in parts and (only is None or key == only)}


async def _wrote(looked: Looked, thread: Thread) -> str | None:
    """The commit that wrote the line that a thread is about."""
    if thread.line is None:
        return None
    where = f"{thread.line:d},{thread.line:d}"
    said = await looked.clone.git.local(
        "blame", "--porcelain", "-L", where, looked.head, "--", thread.path, accept=(0, 128)
    )
    return said.stdout.decode(errors="replace").partition(" ")[0] or None


def _open(part: Criticism) -> str:
    many = len(part.threads) + len(part.remarks)
    said = [f"{many} comment{'s' * (many != 1)}"] if many else []
    failed = len(part.failing)
    return " and ".join([*said, *([f"{failed} failed check{'s' * (failed != 1)}"] if failed else [])])


def _quoted(text: str) -> str:
    return harmless(" ".join(text.split())[:200])
