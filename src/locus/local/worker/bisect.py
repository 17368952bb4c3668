"""Finding the task that broke something: a command is tried on the commits of a sprint's branch, halving what is left.

Every trial has a clean tree of its commit, set up as for a task, in a clone of our own and in the sandbox. What was
found is tried once more, so that a command that sometimes fails accuses nobody.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from uuid import uuid4

from msgspec import Struct, field

from locus.local.errors import LocalError
from locus.local.git.history import Commit, history
from locus.local.process import base_environment, sweep
from locus.local.sandbox import run_in
from locus.local.worker.set_up import set_up
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace

CANNOT_TELL = 125  # the exit code by which a command says that this commit cannot be tried, as for git bisect
NOT_STARTED = (126, 127)  # what a shell says of a command that it cannot start, or does not find
SHOWN = 4000  # characters of what the command printed last


class Verdict(StrEnum):
    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"  # this commit cannot be tried


class Trial(Struct, frozen=True):
    """One run of the command. `place` is 0 for the base of the branch, then one more for each of its commits."""

    place: int
    verdict: Verdict
    why: str
    seconds: float
    output: str


class Why(StrEnum):
    FOUND = "found"
    NEVER_BAD = "never_bad"  # it succeeds on the newest commit
    NEVER_GOOD = "never_good"  # it fails where it was to be good
    FLAKY = "flaky"  # it said different things of one commit
    UNSURE = "unsure"  # commits that could not be tried are in between


class Answer(Struct, frozen=True):
    """What came of a search. `suspects` are places: one when found, several when unsure or flaky, else none."""

    why: Why
    suspects: tuple[int, ...]
    trials: tuple[Trial, ...]

    def last(self, place: int) -> Trial:
        return [trial for trial in self.trials if trial.place == place][-1]


async def search(newest: int, test: Callable[[int], Awaitable[Trial]]) -> Answer:
    """Find the first bad of the places 1 to `newest`, where 0 should be good. Few trials; each known place once.

    Raises what `test` raises.
    """
    trials: list[Trial] = []

    async def tried(place: int) -> Verdict:
        trials.append(await test(place))
        return trials[-1].verdict

    def answer(why: Why, *suspects: int) -> Answer:
        return Answer(why, suspects, tuple(trials))

    if await tried(newest) is not Verdict.BAD:
        return answer(Why.NEVER_BAD if trials[-1].verdict is Verdict.GOOD else Why.UNSURE, newest)
    if await tried(0) is not Verdict.GOOD:
        return answer(Why.NEVER_GOOD)
    good, bad, skipped = 0, newest, set[int]()
    while left := [place for place in range(good + 1, bad) if place not in skipped]:
        middle = min(left, key=lambda place: abs(2 * place - good - bad))
        match await tried(middle):
            case Verdict.GOOD:
                good = middle
            case Verdict.BAD:
                bad = middle
            case Verdict.SKIPPED:
                skipped.add(middle)
    if bad - good > 1:
        return answer(Why.UNSURE, *range(good + 1, bad + 1))
    # Whoever is accused is tried again, and so is the one before.
    if await tried(bad) is not Verdict.BAD:
        return answer(Why.FLAKY, bad)
    if await tried(good) is not Verdict.GOOD:
        return answer(Why.FLAKY, good)
    return answer(Why.FOUND, bad)


class Bisect(Struct, frozen=True):
    """Tries a shell command on commits of the branch of an open site. `timeout` is in seconds, for one trial."""

    work: Workplace
    site: Site
    command: str
    timeout: float
    marker: str = field(default_factory=lambda: str(uuid4()))

    async def commits(self, good: str | None = None) -> tuple[str, list[Commit]]:
        """The commit that should be good, and what follows it, oldest first.

        `good` is the key of a task or the beginning of a commit's id; None is where the branch begins. Raises
        LocalError when there is nothing to search, GitError.
        """
        await self.site.prepare()
        fetched = self.site.fetched
        assert fetched is not None, "the site is prepared"
        if fetched.head is None:
            raise LocalError(f"The remote has no branch {self.site.branch} yet.", remedy="Work first: locus run")
        found = await history(self.site.git, fetched.base, fetched.head, line=True)
        start = fetched.base
        if good is not None:
            places = [at for at, one in enumerate(found) if one.task == good or one.sha.startswith(good.lower())]
            if not places:
                raise LocalError(
                    f"{self.site.branch} has no commit {good}.", remedy="Name a task of the branch, or a commit of it."
                )
            start, found = found[places[-1]].sha, found[places[-1] + 1 :]
        if not found:
            after = f"after {good}" if good else f"on top of {self.site.base_branch}"
            raise LocalError(f"{self.site.branch} has nothing {after}, so nothing there broke anything.")
        return start, found

    async def run(self, start: str, commits: Sequence[Commit], *, tell: Callable[[Trial], None]) -> Answer:
        """Search. `tell` hears of each trial. Raises LocalError when the command cannot be started, GitError."""
        shas = [start, *(commit.sha for commit in commits)]

        async def test(place: int) -> Trial:
            trial = await self._try(place, shas[place])
            tell(trial)
            return trial

        return await search(len(commits), test)

    async def _try(self, place: int, sha: str) -> Trial:
        await self.site.show(sha)
        began = time.monotonic()
        wrong = await set_up(self.work, self.site, marker=self.marker, begins=lambda _: None)
        if wrong is not None:
            why = f"the tree could not be set up: {wrong.splitlines()[0]}"
            return Trial(place, Verdict.SKIPPED, why, time.monotonic() - began, wrong[-SHOWN:])
        done = await run_in(
            self.site.sandbox,
            ["/bin/sh", "-c", f"exec 2>&1\n{self.command}"],
            cwd=self.site.tree,
            env=base_environment(self.work.environment),
            timeout=self.timeout,
            marker=self.marker,
        )
        await sweep(self.marker)
        seconds, output = time.monotonic() - began, done.stdout.decode("utf-8", "replace")[-SHOWN:]
        if done.timed_out:
            return Trial(place, Verdict.BAD, f"it did not end within {self.timeout:g} s", seconds, output)
        if done.exit.code in NOT_STARTED and place:
            raise LocalError(
                f"The command cannot be started: {output.strip() or done.exit}",
                remedy="Try it in your checkout first. It runs with /bin/sh, in the sandbox, in a tree of the branch.",
            )
        if done.exit.code == CANNOT_TELL:
            return Trial(place, Verdict.SKIPPED, f"it ended with {CANNOT_TELL}", seconds, output)
        verdict = Verdict.GOOD if done.ok else Verdict.BAD
        return Trial(place, verdict, "" if done.ok else f"it ended with {done.exit}", seconds, output)
