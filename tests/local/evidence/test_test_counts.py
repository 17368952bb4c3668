"""Counting executed tests in what real runners print."""

import pytest

from locus.local.evidence.test_counts import Counts, counted

CASES = [
    ("===== 3 failed, 12 passed, 1 skipped in 0.12s =====", 15),
    ("12 passed, 2 warnings in 3.20s", 12),
    ("===== no tests ran in 0.01s =====", 0),
    ("===== 4 skipped in 0.02s =====", 0),
    ("\x1b[32m\x1b[1m5 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m", 5),
    ("Ran 41 tests in 0.402s\n\nOK", 41),
    ("Ran 1 test in 0.000s\n\nOK", 1),
    ("Ran 2 tests in 0.000s\n\nOK (skipped=2)", 0),
    ("ℹ tests 3\nℹ pass 1\nℹ fail 0\nℹ skipped 2\nℹ todo 0\n", 1),
    ("Tests:       1 failed, 2 skipped, 40 passed, 43 total\nTime: 3 s", 41),
    ("      Tests  7 passed (7)\n   Duration  211ms", 7),
    ("test result: ok. 3 passed; 0 failed; 0 ignored\ntest result: ok. 4 passed; 0 failed; 1 ignored", 7),
    ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL", 2),
    ("?   \texample.com/a\t[no test files]\n", 0),
    ("ok  \texample.com/a\t0.012s\n", None),
    ("# tests 9\n# pass 9\n", 9),
    ("all good", None),
    ("", None),
]


@pytest.mark.parametrize(("output", "count"), CASES)
def test_the_known_runners_are_understood(output: str, count: int | None) -> None:
    found = counted(output)

    assert (found.executed if found else None) == count


def test_a_pattern_of_ones_own_adds_up_all_its_matches() -> None:
    assert counted("ran 3 specs\nran 4 specs\n", r"ran (\d+) specs") == Counts(7)


def test_a_pattern_that_finds_nothing_counts_nothing() -> None:
    assert counted("12 passed in 1.0s", r"ran (\d+) specs") == Counts(0)


@pytest.mark.parametrize(
    ("output", "failed"),
    [
        ("===== 3 failed, 12 passed in 0.12s =====", 3),
        ("===== 1 error in 0.12s =====", 1),
        ("12 passed, 1 xfailed in 0.12s", 0),
        ("Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=2)", 3),
        ("FAILED (failures=1)\nRan 4 tests in 0.1s\n\nOK", 0),
        ("Tests:       1 failed, 40 passed, 41 total\n", 1),
        ("test result: FAILED. 3 passed; 2 failed; 0 ignored", 2),
        ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL", 1),
        ("# tests 9\n# pass 7\n# fail 2\n", 2),
    ],
)
def test_failures_that_a_runner_tells_of_are_counted(output: str, failed: int) -> None:
    found = counted(output)

    assert found is not None
    assert found.failed == failed
