"""What becomes of one follow-up: whether it is still wanted, what is said about it, and who is told."""

import os
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from locus.client.errors import NotFound, PlaneError
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError
from locus.local.forge.base import ForgeError, PullRequest, State
from locus.local.forge.reviews import Pull, Reviews
from locus.local.forge.threads import Talk
from locus.local.git.history import includes
from locus.local.replay.redaction import Redaction
from locus.local.review.place import Looked
from locus.local.worker import pull_request
from locus.local.worker.answering import Notebook, Waiting, post, replies_to
from locus.local.worker.criticism import Criticism, gather_said
from locus.local.worker.follow_up import Followed
from locus.wire.tasks import Task


class Opened(Struct, frozen=True):
    """One open pull request, what is said about it, and who we are there."""

    hosted: Reviews
    talk: Talk
    pull: Pull
    account: str


class Round(Struct, frozen=True):
    """What came of one task's part of what was said. `commit` is null when nothing was changed."""

    pull_request: int
    task: str
    commit: str | None
    resumed: bool
    answered: int
    failed_checks: int
    """Of the forge, that it has taken up."""
    checks: list[str]

    @property
    def done(self) -> str:
        """What it has taken up, in words."""
        said = [f"{self.answered} comment{'s' * (self.answered != 1)} answered"] if self.answered else []
        if many := self.failed_checks:
            said.append(f"{many} failed check{'s' * (many != 1)} taken up")
        return " and ".join(said) or "nothing to answer"


class Settling(Struct, frozen=True):
    """What this machine knows of follow-ups, and whom it tells. `made` is told each round as soon as it is over."""

    plane: ControlPlane
    book: Notebook
    made: Callable[[Round], None]
    note: Callable[[str], None]

    async def known(self, key: str) -> Task | None:
        try:
            return await self.plane.tasks.get(key)
        except NotFound:
            return None  # the commit is of another workspace's task

    async def resume(self, opened: Opened, looked: Looked) -> bool:
        """Say what an earlier call has pushed and not got to saying. Returns whether there was anything."""
        waiting, number = self.book.waiting(opened.pull.number), opened.pull.number
        if not waiting:
            return False
        criticism = await gather_said(opened.talk, opened.account)
        said = False
        for one in waiting:
            if one.commit is not None and not await includes(looked.clone.git, looked.head, one.commit):
                self.book.drop(number, one.task)  # it was never pushed, or was pushed away
                continue
            self.note(f"{one.task}: an earlier call was done, and did not get to say so.")
            await self.finish(opened, await self.known(one.task), one, criticism)
            said = True
        return said

    async def ready(self, opened: Opened, key: str, part: Criticism, done: Followed) -> None:
        """Before anything is pushed: whether it is still wanted, and what will be said about it."""
        now = await opened.hosted.pull(opened.pull.number)
        if not now.open:
            raise LocalError(f"Pull request {now.number} was closed or merged meanwhile.")
        still = await gather_said(opened.talk, opened.account)
        open_ = {one.first for one in still.threads} | {one.id for one in still.remarks}
        wanted = {one.first for one in part.threads} | {one.id for one in part.remarks}
        if wanted and not wanted & open_ and not part.failing:
            raise LocalError("Everything that was said about it is resolved or answered by now.")
        hide = Redaction(os.environ, {}).content
        replies = replies_to(part, {name: hide(said) for name, said in done.answers.items()}, done.commit)
        waiting = Waiting(
            task=key,
            commit=done.commit,
            resumed=done.resumed,
            checks=[f"{result.check.name}: {result.why}" for result in done.results],
            replies=[reply for reply in replies if reply.is_due(still)],
            taken=[one.id for one in part.failing],
        )
        self.book.keep(opened.pull.number, waiting)

    async def finish(self, opened: Opened, task: Task | None, waiting: Waiting, open_: Criticism) -> None:
        """Answer, once it is on the branch, and tell the control plane."""
        pull, commit = opened.pull, waiting.commit
        keep = partial(self.book.keep, pull.number, waiting)
        try:
            answered = await post(opened.talk, waiting, open_, settled=keep, tell=self.note)
        except ForgeError as e:
            done = f"{commit[:10]} is pushed" if commit else "Nothing was to be changed"
            e.message = f"{done}, and not everything that was said is answered. {e.message}"
            e.remedy = f"Answer without asking the agent again: locus iterate {pull.number}"
            raise
        self.book.drop(pull.number, waiting.task, taken=waiting.taken)
        made = Round(pull.number, waiting.task, commit, waiting.resumed, answered, len(waiting.taken), waiting.checks)
        self.made(made)
        if commit is None or task is None:
            return
        try:
            linked = PullRequest(pull.number, pull.url, State.OPEN)
            await pull_request.link(self.plane, linked, [task], branch=pull.branch, head=commit)
            proved = ", ".join(waiting.checks) or "no checks"
            said = f"Pull request {pull.number}: {made.done}, by {commit[:10]} ({proved})."
            await self.plane.tasks.comment(task.id, said)
        except PlaneError as e:
            self.note(f"The commit is pushed, and the control plane was not told: {e.message}")
