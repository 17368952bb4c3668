"""Checks: the project's own commands, run by us and never by the agent. What they show is the evidence of a task."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local.evidence import junit
from locus.local.evidence.test_counts import Counts, counted
from locus.local.project import Check
from locus.local.sandbox import Sandbox, run_in
from locus.wire.work import Evidence

TIMED_OUT = 124  # the exit code that evidence records for a check that we ended, as timeout(1) does
NOT_RUN = 125  # and for one that was not run, because a check that it needs is red


class CheckResult(Struct, frozen=True):
    """One check, as it went. `output` stays on this machine; only its hash is evidence."""

    check: Check
    exit_code: int
    duration_ms: int
    tests: int | None  # executed ones
    output: str
    output_sha256: str
    timed_out: bool = False
    failed: int = 0  # tests that failed, as far as the runner said so
    fault: str | None = None  # why nothing could be proved, such as a need that is red or a report that is missing
    red_first: bool | None = None  # whether the changed tests fail without the change; None when nobody asked

    @property
    def passed(self) -> bool:
        return self.exit_code == 0 and self._objection is None

    @property
    def why(self) -> str:
        """Why it is red, or what it proved, in a few words."""
        if self.timed_out:
            return f"it did not end within {self.check.timeout:g} s"
        if self.exit_code not in (0, NOT_RUN):
            return f"exit code {self.exit_code}"
        if (objection := self._objection) is not None:
            return objection
        return "green" if self.tests is None else tests(self.tests)

    @property
    def _objection(self) -> str | None:
        """What is wrong although it ended with 0."""
        if self.fault is not None:
            return self.fault
        if self.tests == 0:
            return "no test was executed"
        if self.failed:
            return f"it ended with 0, and {tests(self.failed)} failed"
        least = self.check.min_tests
        if least is not None and (self.tests is None or self.tests < least):
            return f"{'nobody counted' if self.tests is None else 'only ' + tests(self.tests)}, and {least} are due"
        return None

    def evidence(self, commit: str) -> Evidence:
        """The part of it that may leave the machine, bound to the commit whose tree it was run on."""
        return Evidence(
            check=self.check.name,
            passed=self.passed,
            exit_code=self.exit_code,
            duration_ms=self.duration_ms,
            output_sha256=self.output_sha256,
            commit=commit,
            tests=self.tests,
            red_first=self.red_first,
        )


def tests(number: int) -> str:
    return f"{number} test" if number == 1 else f"{number} tests"


async def run_checks(
    checks: Sequence[Check],
    *,
    tree: Path,
    env: Mapping[str, str],
    marker: str,
    started: Callable[[Check], None],
    finished: Callable[[CheckResult], None],
    restore: Callable[[], Awaitable[None]] | None = None,
    sandbox: Sandbox | None = None,
) -> list[CheckResult]:
    """Run every check in `tree`, one after another, also after a red one: the agent should hear of all at once.

    A check comes after those it needs, and is red without being run when one of them is. `marker` names the run, so
    that whatever a check leaves running is ended with it; `restore` is awaited between two checks, so that what the
    one did to the files is not what the other proves. With a `sandbox` they run in there: what they execute is code
    that an agent may have written.
    """
    results: dict[str, CheckResult] = {}
    for check in checks:
        red = [need for need in check.needs if need in results and not results[need].passed]
        if red:
            results[check.name] = _not_run(check, red[0])
            finished(results[check.name])
            continue
        if results and restore is not None:
            await restore()
        started(check)
        results[check.name] = await run_check(check, tree=tree, env=env, marker=marker, sandbox=sandbox)
        finished(results[check.name])
    return list(results.values())


def _not_run(check: Check, need: str) -> CheckResult:
    fault = f"not run, because {need} is red"
    return CheckResult(check, NOT_RUN, 0, None, "", hashlib.sha256(b"").hexdigest(), fault=fault)


async def run_check(
    check: Check, *, tree: Path, env: Mapping[str, str], marker: str, sandbox: Sandbox | None = None
) -> CheckResult:
    """Run one check to its end or its timeout; nothing that it started survives."""
    fault: str | None = None
    if check.junit is not None:
        try:
            junit.forget(tree, check.junit)
        except (junit.Unreadable, OSError) as e:
            fault = f"an old report is in the way: {e}"
    began = time.monotonic()
    # One stream, in the order in which it was written: a test runner's words make no sense apart.
    argv = ["/bin/sh", "-c", f"exec 2>&1\n{check.run}"]
    completed = await run_in(sandbox, argv, cwd=tree, env=env, timeout=check.timeout, marker=marker)
    duration_ms = int((time.monotonic() - began) * 1000)
    output = completed.stdout.decode("utf-8", "replace")
    if completed.timed_out:
        exit_code = TIMED_OUT
    elif completed.exit.code is not None:
        exit_code = completed.exit.code
    else:
        exit_code = -(completed.exit.signal or 0)
    counts: Counts | None = None
    if check.junit is None:
        counts = counted(output, check.tests)
    elif fault is None:
        try:
            counts = junit.read(tree, check.junit)
        except junit.Unreadable as e:
            fault = str(e)
    return CheckResult(
        check=check,
        exit_code=exit_code,
        duration_ms=duration_ms,
        tests=None if counts is None else counts.executed,
        failed=0 if counts is None else counts.failed,
        fault=fault,
        output=output,
        # Of what is kept beside the attempt, so that anybody can compare.
        output_sha256=hashlib.sha256(output.encode("utf-8", "replace")).hexdigest(),
        timed_out=completed.timed_out,
    )
