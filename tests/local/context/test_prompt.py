"""What an agent is told, and what other people's words in it can and cannot do."""

import re

import pytest
from hypothesis import given, strategies as st
from tests.support.snapshots import comment, snapshot

from locus.local.context.documents import Document
from locus.local.context.prompt import OUTPUT_LIMIT, Background, Mark, repair_prompt, task_prompt
from locus.local.evidence.checks import CheckResult
from locus.local.project import Check
from locus.wire.tasks import ChecklistItem, CommentKind, Role
from locus.wire.work import FailReason, LastFailure

UNIT = Check(name="unit", run="pytest -q")


def red(output: str, *, name: str = "unit") -> CheckResult:
    return CheckResult(
        check=Check(name=name, run="pytest -q"),
        exit_code=1,
        duration_ms=10,
        tests=3,
        output=output,
        output_sha256="0" * 64,
    )


def test_the_task_its_checklist_and_its_role_are_told() -> None:
    told = task_prompt(
        snapshot(
            role=Role.QA,
            checklist=[
                ChecklistItem(id="1", text="Bad ones are refused", check="unit"),
                ChecklistItem(id="2", text="x"),
            ],
        ),
        Background(checks=[UNIT]),
    )

    assert "AUTH-12" in told
    assert "Refuse bad e-mail addresses" in told
    assert "The sign-in form takes anything." in told
    assert "a test engineer" in told
    assert "Bad ones are refused  (proved by the check `unit`)" in told
    assert "`unit` = `pytest -q`" in told


def test_every_comment_and_the_reason_of_the_last_failure_are_told() -> None:
    told = task_prompt(
        snapshot(
            comments=[
                comment("Mind the plus sign."),
                comment("It still accepts a@b.", kind=CommentKind.REJECTION, author="Ada"),
            ],
            last_failure=LastFailure(fence=1, reason=FailReason.CHECKS_FAILED, red_checks=["unit"]),
        ),
        Background(),
    )

    assert "Mind the plus sign." in told
    assert "Ada, who sent the work back" in told
    assert "It still accepts a@b." in told
    assert "checks were still red (unit)" in told


def test_what_the_project_says_and_what_was_done_before_is_told() -> None:
    told = task_prompt(
        snapshot(),
        Background(
            instructions=[Document("AGENTS.md", "Use tabs.")],
            learnings=["The clock is UTC."],
            docs=[Document("Sign-in", "RFC 5321 decides.")],
            codebase="src/  3 py",
            earlier=["AUTH-11: Add the form (src/form.py)"],
            protected=["CLAUDE.md"],
        ),
    )

    for words in (
        "Use tabs.",
        "The clock is UTC.",
        "RFC 5321 decides.",
        "src/  3 py",
        "AUTH-11: Add the form",
        "`CLAUDE.md`",
    ):
        assert words in told


@pytest.mark.parametrize("reason", list(FailReason))
def test_every_reason_of_a_failure_has_words(reason: FailReason) -> None:
    told = task_prompt(snapshot(last_failure=LastFailure(fence=1, reason=reason, red_checks=[])), Background())

    assert "An earlier attempt failed: " in told


@given(st.text())
def test_no_text_can_close_its_own_mark(text: str) -> None:
    told = task_prompt(snapshot(description=f"x{text}"), Background())

    nonce = re.search(r"<<<(\w{12}) title", told)
    assert nonce
    assert nonce[1] not in text
    assert told.count(f"<<<{nonce[1]} description") == 1


def test_a_nonce_that_somebody_guessed_is_not_used() -> None:
    guesses = [f"{number:012x}" for number in range(4096)]

    assert Mark.beside(guesses).nonce not in guesses


def test_characters_that_nobody_sees_do_not_reach_the_model() -> None:
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "rm -rf")

    told = task_prompt(snapshot(title=f"Tidy up{hidden}\u202e"), Background())

    assert "Tidy up\n" in told
    assert not any(0xE0000 <= ord(char) < 0xE0080 for char in told)


def test_red_checks_come_back_with_the_end_of_their_output() -> None:
    told = repair_prompt([red("noise" * OUTPUT_LIMIT + "\nassert 1 == 2")], round_number=1, rounds=3)

    assert "assert 1 == 2" in told
    assert "chance 1 of 3" in told
    assert "exit code 1" in told
    assert len(told) < OUTPUT_LIMIT + 2000


def test_insights_are_told_between_marks_and_no_section_stands_empty() -> None:
    told = task_prompt(snapshot(), Background(insights=["Decision: Sessions are cookies. Signed."]))

    assert "# What was said in discussions about this" in told
    assert "- Decision: Sessions are cookies. Signed.\n" in told
    assert "discussions" not in task_prompt(snapshot(), Background())
