"""What our own checks show of an attempt's work: run on exactly the tree that is committed, with no agent alive."""

from collections.abc import Sequence

from msgspec.structs import replace

from locus.local.evidence import selection
from locus.local.evidence.checks import TIMED_OUT, CheckResult, run_checks
from locus.local.evidence.protected import touched
from locus.local.git.changes import Changes
from locus.local.git.overlay import overlay
from locus.local.process import base_environment
from locus.local.project import Check
from locus.local.worker import second_opinion, told
from locus.local.worker.attempt import Attempt
from locus.local.worker.ground import Ground
from locus.local.worker.outcome import Ended
from locus.local.worker.second_opinion import SecondOpinion
from locus.wire.tasks import Phase
from locus.wire.work import FailReason

NO_TEST_CHANGED = "the change has no new or changed test, and one that fails without it is asked for"
STILL_RED = "with the tests as they were it is red, as it was before the change: only the changed tests are green"
NOT_RED_FIRST = "the changed tests pass without the rest of the change too, so they prove nothing of it"


class Proof:
    """The checks of one attempt. `results` are those of the last time they ran."""

    def __init__(self, attempt: Attempt, ground: Ground) -> None:
        self._attempt = attempt
        self._ground = ground
        task = attempt.snapshot.task
        self._named = {item.check for item in task.checklist if item.check} | {*attempt.snapshot.required_checks}
        self._red_first = {item.check for item in task.checklist if item.check and item.red_first}
        self._opinion = SecondOpinion(attempt)
        self.results: list[CheckResult] = []

    def possible(self) -> tuple[Check, ...]:
        """Every check that may have to pass. One that somebody asked for and nobody defined ends the attempt."""
        checks = self._attempt.work.project.checks
        review = (second_opinion.CHECK,) if self._opinion.wanted else ()
        if unknown := selection.unknown((*checks, *review), self._named):
            raise Ended(
                FailReason.SETUP_FAILED,
                f"The checklist or the workspace names the check {unknown[0]}, which .locus/config.toml does not"
                " define.",
            )
        return (*selection.possible(checks, self._named), *review)

    async def of(self, changes: Changes, *, base: str) -> Sequence[CheckResult]:
        """Run the checks that the change is due on its tree, which stands on the commit `base`; returns the red ones.

        Raises Stopped, LocalError, GitError.
        """
        attempt = self._attempt
        attempt.enter(Phase.CHECKS)
        due = selection.due(attempt.work.project.checks, self._named, changes.paths)
        # What git does not see, or did not look at, is put away: the files are those of the tree, and nothing else
        # but what is ignored.
        await self._ground.settle(changes.tree, base=base, paths=changes.paths)
        self.results = await self._run(due, changes.tree)
        for place, result in enumerate(self.results):
            if result.passed and result.check.name in self._red_first:
                self.results[place] = await self._seen_red(result, changes, base=base)
            elif result.passed and result.tests is not None and attempt.work.project.protected_tests:
                self.results[place] = await self._with_old_tests(result, changes, base=base)
        if self._opinion.wanted and all(result.passed for result in self.results):
            self.results.append(await self._opinion.of(changes, base=base))
        for result in self.results:
            attempt.records.check(result)
        return [result for result in self.results if not result.passed]

    async def _run(self, checks: Sequence[Check], tree: str, *, aloud: bool = True) -> list[CheckResult]:
        attempt, key = self._attempt, self._attempt.key

        def tell(what: told.Told) -> None:
            if aloud:
                attempt.work.tell(what)

        async def restore() -> None:
            await attempt.site.worktree.restore(tree)

        results = await attempt.unless_stopped(
            run_checks(
                checks,
                tree=attempt.site.tree,
                env=base_environment(attempt.work.environment),
                marker=attempt.marker,
                started=lambda check: tell(told.CheckStarted(key=key, check=check)),
                finished=lambda result: tell(told.CheckFinished(key=key, result=result)),
                restore=restore,
                sandbox=attempt.site.sandbox,
            )
        )
        attempt.spending.checks_ms += sum(result.duration_ms for result in results)
        return results

    async def _seen_red(self, green: CheckResult, changes: Changes, *, base: str) -> CheckResult:
        """A green result, and whether its check fails where only the change's tests are applied to the base."""
        attempt, check = self._attempt, green.check
        tests = touched(changes.paths, check.test_files)
        if not tests:
            return replace(green, red_first=False, fault=NO_TEST_CHANGED)
        without = await overlay(attempt.site.git, base, changes.tree, tests)
        last = await self._alone(check, without, base=base)
        await attempt.site.reset_to(changes.tree, base=base)
        # A run that never ended is no test that failed.
        red = not last.passed and last.exit_code != TIMED_OUT
        told_of = f"{attempt.key}: {check.name} is {'red' if red else 'green'} without the change."
        attempt.work.tell(told.Note(text=told_of))
        return replace(green, red_first=red, fault=None if red else NOT_RED_FIRST)

    async def _with_old_tests(self, green: CheckResult, changes: Changes, *, base: str) -> CheckResult:
        """A green result, unless it is green by nothing but what the change has done to tests that were red before.

        Changed tests may say that something is to be otherwise now. But where they failed before the change, and as
        they were still fail after it, what they asked for was not done.
        """
        attempt, check = self._attempt, green.check
        before = [path for entry in changes.entries if entry.status != "A" for path in (entry.old_path or entry.path,)]
        tests = touched(before, check.test_files)
        if not tests or check.name in attempt.site.green.get(base, ()):
            return green
        old_tests = await overlay(attempt.site.git, changes.tree, base, tests)
        red = not (await self._alone(check, old_tests, base=base)).passed
        if red:
            red = not (await self._alone(check, f"{base}^{{tree}}", base=base)).passed
            if not red:
                attempt.site.green.setdefault(base, set()).add(check.name)
        await attempt.site.reset_to(changes.tree, base=base)
        return replace(green, fault=STILL_RED) if red else green

    async def _alone(self, check: Check, tree: str, *, base: str) -> CheckResult:
        """Run one check, after what it needs, on another tree than the one that is to be committed."""
        await self._attempt.site.reset_to(tree, base=base)
        return (await self._run(selection.alone(self._attempt.work.project.checks, check.name), tree, aloud=False))[-1]
