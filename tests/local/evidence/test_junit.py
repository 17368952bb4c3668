"""A JUnit report counts what was executed, and nothing that an agent put in its place."""

import os
from pathlib import Path

import pytest

from locus.local.evidence import junit
from locus.local.evidence.checks import CheckResult, run_check
from locus.local.project import Check

SUITE = """<?xml version="1.0"?><testsuites><testsuite name="s" tests="4">
<testcase name="a"/><testcase name="b"><failure>no</failure></testcase>
<testcase name="c"><skipped/></testcase><testcase name="d"><error/></testcase>
</testsuite></testsuites>"""
GREEN = "<testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase></testsuite>"


async def run(tree: Path, command: str, *, min_tests: int | None = None) -> CheckResult:
    check = Check(name="unit", run=command, junit="out/report.xml", min_tests=min_tests)
    return await run_check(check, tree=tree, env={"PATH": os.environ["PATH"]}, marker="test-junit")


def place(tree: Path, text: str) -> Path:
    (tree / "out").mkdir()
    report = tree / "out" / "report.xml"
    report.write_text(text)
    return report


def test_skipped_cases_were_not_executed_and_failures_and_errors_have_failed(tmp_path: Path) -> None:
    place(tmp_path, SUITE)

    counts = junit.read(tmp_path, "out/report.xml")

    assert (counts.executed, counts.failed) == (3, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'aaaa'>]><testsuite><testcase name='&a;'/></testsuite>", "document type"),
        ("<testsuite><testcase></testsuite>", "not XML"),
        ("<html/>", "no JUnit report"),
        ("", "not XML"),
    ],
)
def test_what_is_no_plain_report_counts_nothing(tmp_path: Path, text: str, why: str) -> None:
    place(tmp_path, text)

    with pytest.raises(junit.Unreadable, match=why):
        junit.read(tmp_path, "out/report.xml")


def test_a_report_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    report = place(tmp_path, GREEN)
    os.truncate(report, junit.LARGEST + 1)

    with pytest.raises(junit.Unreadable, match="larger"):
        junit.read(tmp_path, "out/report.xml")


def test_a_link_is_not_followed_out_of_the_tree(tmp_path: Path) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    tree.mkdir()
    elsewhere.mkdir()
    (elsewhere / "report.xml").write_text(GREEN)
    (tree / "out").symlink_to(elsewhere)

    with pytest.raises(junit.Unreadable, match="out of the tree"):
        junit.read(tree, "out/report.xml")
    with pytest.raises(junit.Unreadable, match="out of the tree"):
        junit.forget(tree, "out/report.xml")
    assert (elsewhere / "report.xml").exists()


def test_a_report_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    place(tmp_path, GREEN).rename(tmp_path / "real.xml")
    (tmp_path / "out" / "report.xml").symlink_to("../real.xml")
    os.mkfifo(tmp_path / "pipe.xml")

    with pytest.raises(junit.Unreadable):
        junit.read(tmp_path, "out/report.xml")
    with pytest.raises(junit.Unreadable):
        junit.read(tmp_path, "pipe.xml")


async def test_a_report_of_an_earlier_run_proves_nothing(tmp_path: Path) -> None:
    place(tmp_path, GREEN)

    result = await run(tmp_path, "true")

    assert not result.passed
    assert result.why == "it wrote no out/report.xml"


async def test_a_report_counts_and_not_what_was_printed(tmp_path: Path) -> None:
    result = await run(tmp_path, f'mkdir -p out; echo "{GREEN}" > out/report.xml; echo 900 passed in 0.1s')

    assert (result.passed, result.tests, result.why) == (True, 1, "1 test")


async def test_a_report_of_failures_is_red_although_the_command_ends_with_zero(tmp_path: Path) -> None:
    result = await run(tmp_path, f"mkdir -p out; cat > out/report.xml <<'END'\n{SUITE}\nEND\ntrue")

    assert not result.passed
    assert result.why == "it ended with 0, and 2 tests failed"


@pytest.mark.parametrize(("least", "passed"), [(1, True), (2, False)])
async def test_fewer_tests_than_are_due_are_red(tmp_path: Path, least: int, passed: bool) -> None:
    result = await run(tmp_path, f'mkdir -p out; echo "{GREEN}" > out/report.xml', min_tests=least)

    assert result.passed is passed
