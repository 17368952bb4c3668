"""Checks as they are really run: exit codes, time limits, counts, and what they leave behind."""

import hashlib
import os
import shlex
import sys
from pathlib import Path

import psutil
import pytest

from locus.local.evidence.checks import NOT_RUN, TIMED_OUT, CheckResult, run_check, run_checks
from locus.local.project import Check

ENV = {"PATH": os.environ["PATH"]}


async def run(tree: Path, command: str, *, timeout: float = 20.0, tests: str | None = None) -> CheckResult:
    return await run_check(
        Check(name="unit", run=command, timeout=timeout, tests=tests), tree=tree, env=ENV, marker="test-check"
    )


async def test_a_command_that_ends_well_is_green(tmp_path: Path) -> None:
    result = await run(tmp_path, "echo fine && echo aside >&2")

    assert result.passed
    assert result.output == "fine\naside\n"
    assert result.output_sha256 == hashlib.sha256(b"fine\naside\n").hexdigest()
    assert result.why == "green"


async def test_a_command_that_fails_is_red_with_its_exit_code(tmp_path: Path) -> None:
    result = await run(tmp_path, "exit 3")

    assert not result.passed
    assert (result.exit_code, result.why) == (3, "exit code 3")


async def test_a_suite_that_runs_no_test_is_red_although_it_exits_zero(tmp_path: Path) -> None:
    result = await run(tmp_path, "echo 'Ran 0 tests in 0.000s'")

    assert not result.passed
    assert result.why == "no test was executed"


async def test_a_pattern_of_ones_own_that_finds_nothing_is_red(tmp_path: Path) -> None:
    result = await run(tmp_path, "echo all good", tests=r"(\d+) specs")

    assert result.tests == 0
    assert not result.passed


async def test_a_real_test_run_is_counted(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n    def test_b(self): pass\n"
    )

    result = await run(tmp_path, f"{shlex.quote(sys.executable)} -m unittest -q")

    assert (result.passed, result.tests, result.why) == (True, 2, "2 tests")


async def test_a_check_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    result = await run(tmp_path, "sleep 600 & echo $! > pid; sleep 600", timeout=0.5)

    assert (result.passed, result.exit_code) == (False, TIMED_OUT)
    assert "0.5 s" in result.why
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


async def test_what_a_green_check_leaves_running_is_ended(tmp_path: Path) -> None:
    result = await run(tmp_path, "setsid sleep 600 & echo $! > pid")

    assert result.passed
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


async def test_a_red_check_does_not_hide_the_next_one(tmp_path: Path) -> None:
    started: list[str] = []
    finished: list[str] = []
    checks = [Check(name="one", run="false"), Check(name="two", run="false")]

    results = await run_checks(
        checks,
        tree=tmp_path,
        env=ENV,
        marker="test-checks",
        started=lambda check: started.append(check.name),
        finished=lambda result: finished.append(result.check.name),
    )

    assert [result.check.name for result in results] == ["one", "two"]
    assert started == finished == ["one", "two"]


async def test_evidence_holds_the_hash_of_the_output_and_not_the_output(tmp_path: Path) -> None:
    result = await run(tmp_path, "echo secret source")

    evidence = result.evidence("a" * 40)

    assert "secret" not in repr(evidence)
    assert (evidence.check, evidence.passed, evidence.commit) == ("unit", True, "a" * 40)


@pytest.mark.parametrize("signal", ["KILL", "SEGV"])
async def test_a_check_that_dies_by_a_signal_is_red(tmp_path: Path, signal: str) -> None:
    result = await run(tmp_path, f"kill -{signal} $$")

    assert not result.passed
    assert result.exit_code < 0


async def test_failures_that_the_runner_tells_of_are_red_although_a_wrapper_ends_with_zero(tmp_path: Path) -> None:
    result = await run(tmp_path, "echo '1 failed, 4 passed in 0.10s' || true")

    assert not result.passed
    assert result.why == "it ended with 0, and 1 test failed"


async def test_a_least_number_of_tests_that_nobody_can_count_is_red(tmp_path: Path) -> None:
    check = Check(name="unit", run="echo fine", min_tests=1)

    result = await run_check(check, tree=tmp_path, env=ENV, marker="test-check")

    assert not result.passed
    assert result.why == "nobody counted, and 1 are due"


async def test_a_check_whose_need_is_red_is_red_and_not_run(tmp_path: Path) -> None:
    started: list[str] = []
    checks = [
        Check(name="build", run="false"),
        Check(name="unit", run="touch ran", needs=("build",)),
        Check(name="slow", run="touch ran", needs=("unit",)),
    ]

    results = await run_checks(
        checks,
        tree=tmp_path,
        env=ENV,
        marker="test-checks",
        started=lambda check: started.append(check.name),
        finished=lambda _: None,
    )

    assert started == ["build"]
    assert [result.passed for result in results] == [False, False, False]
    assert results[1].why == "not run, because build is red"
    assert results[1].evidence("a" * 40).exit_code == NOT_RUN
    assert not (tmp_path / "ran").exists()


async def test_the_files_are_put_back_between_two_checks(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("committed")

    async def restore() -> None:
        (tmp_path / "code").write_text("committed")

    results = await run_checks(
        [Check(name="one", run="echo mended > code"), Check(name="two", run="grep -q committed code")],
        tree=tmp_path,
        env=ENV,
        marker="test-checks",
        started=lambda _: None,
        finished=lambda _: None,
        restore=restore,
    )

    assert [result.passed for result in results] == [True, True]
