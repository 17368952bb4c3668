"""`locus learn`, `locus artifacts`, completion and the manual page."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.tasks.planning import Planner
from tests.support import person as persons
from tests.support.at_server import signed_in
from tests.support.person import Person
from tests.support.server import RunningServer

from locus.cli import manual
from locus.cli.overview import EXAMPLES, SUMMARIES


@pytest.fixture
def person(tmp_path: Path) -> Person:
    person = persons.new(tmp_path)
    person.repository("shop")
    return person


def test_a_lesson_is_written_once_where_agents_read_it(person: Person) -> None:
    shop = person.home / "shop"

    first = person.locus("learn", "Prices are  integers in cents", cwd=shop)
    second = person.locus("learn", "Run the linter before you finish", cwd=shop)
    same = person.locus("learn", "prices are integers, in cents!", cwd=shop)
    long = person.locus("learn", "x" * 301, cwd=shop)
    listed = person.locus("learn", cwd=shop)

    assert (first.code, second.code, same.code, long.code) == (0, 0, 1, 2)
    assert "known already: Prices are integers in cents" in same.err
    assert listed.out == "- Prices are integers in cents\n- Run the linter before you finish\n"
    assert (
        (shop / ".locus" / "LEARNINGS.md")
        .read_text()
        .endswith("task.\n\n- Prices are integers in cents\n- Run the linter before you finish\n")
    )


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ("Indent by 2", "Indent by 4"),
        ("Use tabs, not spaces", "Use spaces, not tabs"),
        ("Write the database migrations by hand in SQL", "Don't write the database migrations by hand in SQL"),
        ("Lines have at most 100 characters, in every file", "Lines have at most 120 characters, in every file"),
    ],
)
def test_a_lesson_that_says_something_else_in_the_same_words_is_another(person: Person, known: str, other: str) -> None:
    shop = person.home / "shop"

    said = [person.locus("learn", lesson, cwd=shop) for lesson in (known, other, other.upper())]

    assert [one.code for one in said] == [0, 0, 1], said
    assert person.locus("learn", cwd=shop).out == f"- {known}\n- {other}\n"


def test_what_has_no_word_is_no_lesson(person: Person) -> None:
    said = person.locus("learn", "!!!", cwd=person.home / "shop")

    assert said.code == 2
    assert "no lesson in that" in said.err


async def test_what_was_said_of_rejected_work_is_proposed_until_somebody_decides(
    server: RunningServer, tmp_path: Path
) -> None:
    ada = await signed_in(server, tmp_path)
    shop = ada.person.repository("shop")
    async with server.client(ada.person.variables["LOCUS_API_KEY"]) as api:
        plan = Planner(server, api)
        for said in ("Never use floats for money", "never use floats for money.", "The page is slow"):
            task = await plan.task()
            await plan.status(task, "DONE")
            await plan.status(task, "BACKLOG", feedback=said)

    async def proposed() -> list[tuple[str, str]]:
        out = await ada.did("learn", "--proposals", cwd=shop)
        lines = out.splitlines()
        return [(lines[at].split()[0], lines[at + 1].strip()) for at in range(0, len(lines) - 1, 2)]

    before = await proposed()
    assert sorted(text.rstrip(".").lower() for _, text in before) == ["never use floats for money", "the page is slow"]

    long = await ada.locus("learn", "--accept", before[0][0], "x " * 200, cwd=shop)
    assert long.code == 2 and "at most 300 characters" in long.err
    floats = next(i for i, text in before if "floats" in text)
    await ada.did("learn", "--accept", floats, "Never use floats for money", cwd=shop)
    slow = next(i for i, text in before if "slow" in text)
    dismissed = await ada.did("learn", "--dismiss", slow, "--json", cwd=shop)
    assert json.loads(dismissed)["text"] == "The page is slow"

    assert await proposed() == []
    assert "- Never use floats for money" in (shop / ".locus" / "LEARNINGS.md").read_text()


async def test_an_artifact_is_listed_shown_and_made_a_doc(server: RunningServer, tmp_path: Path) -> None:
    ada = await signed_in(server, tmp_path)
    shop = ada.person.repository("shop")
    folder = shop / ".locus" / "artifacts"
    folder.mkdir(parents=True)
    (folder / "search.md").write_text("# How \x1b[31msearch could work\n\nWith an index.\n")
    (folder / "empty.md").write_text("\n")
    (tmp_path / "secret.md").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")

    listed = await ada.did("artifacts", cwd=shop)
    shown = await ada.did("artifacts", "show", "search", cwd=shop)
    unasked = await ada.locus("artifacts", "doc", "search", cwd=shop)
    sent = await ada.locus("artifacts", "doc", "search", "--yes", cwd=shop)
    again = await ada.locus("artifacts", "doc", "search.md", "--yes", cwd=shop)
    empty = await ada.locus("artifacts", "doc", "empty", "--yes", cwd=shop)

    assert "search" in listed and "link" not in listed
    assert "With an index." in shown
    assert (unasked.code, sent.code) == (2, 0), (unasked, sent)
    assert again.out == sent.out.replace("now.", "already.")
    assert empty.code == 1 and "is empty" in empty.err
    titles = await server.pool.fetch("SELECT title FROM docs")
    assert [row["title"] for row in titles] == ["How search could work"]
    for name in ("link", "../config", "../../README", "/etc/passwd", "nothing"):
        assert (await ada.locus("artifacts", "show", name, cwd=shop)).code == 1


def test_an_artifact_whose_name_is_no_text_is_listed_and_shown(person: Person) -> None:
    shop = person.home / "shop"
    folder = shop / ".locus" / "artifacts"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"b\xffd.md")).write_text("Words.\n")

    listed = person.locus("artifacts", "--json", cwd=shop)
    shown = person.locus("artifacts", "show", "b\ufffdd", cwd=shop)

    assert [one["name"] for one in json.loads(listed.out)] == ["b\ufffdd"]
    assert shown.out == "Words.\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_locus_for_completions(person: Person, shell: str) -> None:
    said = person.locus("completion", shell)

    assert said.code == 0, said
    assert "_LOCUS_COMPLETE" in said.out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=said.out.encode(), check=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("locus pl", ["plan"]),
        ("locus tasks ad", ["add"]),
        ("locus run --onc", ["--once"]),
        ("locus run --provider c", ["claude", "codex", "command"]),
        ("locus exec --network ", ["open", "provider"]),
        ("locus tasks list --status in", ["in_progress", "in_review"]),
        ("locus tasks list --sprint a", ["active"]),
        ("locus config get index-", ["index_budget"]),
        ("locus config set permissions ", ["allow", "ask"]),
        ("locus config set model ", []),
        ("locus completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_commands_flags_and_words_are_completed(person: Person, typed: str, words: list[str]) -> None:
    at = str(typed.count(" "))
    person.variables.update({"_LOCUS_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": at})

    said = person.locus()

    assert said.out.split() == [f"plain,{word}" for word in words]


def test_completing_a_command_asks_the_table_and_imports_none_of_them(person: Person) -> None:
    person.variables.update({"_LOCUS_COMPLETE": "zsh_complete", "COMP_WORDS": "locus ", "COMP_CWORD": "1"})

    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "locus"],
        env=person.environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert [name for name in SUMMARIES if name not in said.stdout.splitlines()] == []
    assert "locus.cli.commands." not in said.stderr


def test_the_manual_page_is_up_to_date_and_has_every_command() -> None:
    page = Path(__file__).parents[2] / "docs" / "locus.1"

    assert page.read_text() == manual.text(), "python -m locus.cli.manual > docs/locus.1"
    assert page.read_text().isascii(), "readers guess its encoding"
    for name in ("locus plan", "locus sessions delete", "locus completion", "\\-\\-json\\-stream"):
        assert name in page.read_text()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_shows_examples_as_they_are_typed() -> None:
    page = Path(__file__).parents[2] / "docs" / "locus.1"

    shown = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", str(page)], capture_output=True, text=True, check=True
    )

    assert shown.stderr == ""
    for line, _ in EXAMPLES:
        assert line in shown.stdout
