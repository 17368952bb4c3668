"""`locus tasks` with the real server: written, ordered, judged, shown."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pexpect
import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.scripted_http import problem, reply, scripted
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    return await signed_in(server, tmp_path)


def editor(ada: SignedIn, script: str) -> None:
    """Make a program the person's editor: its first argument is the file."""
    ada.person.variables["EDITOR"] = str(ada.person.program("editor", script))


def drafts(ada: SignedIn) -> list[str]:
    return [path.read_text() for path in (ada.person.state / "drafts").glob("*.md")]


async def test_a_task_is_added_listed_and_shown(ada: SignedIn) -> None:
    key = (
        await ada.did("tasks", "add", "Refuse bad e-mail", "-q", "-d", "Map<string, List<int>>", "-p", "high")
    ).strip()
    listed = await ada.did("tasks")
    shown = await ada.did("tasks", "show", "web-1")

    assert key == "WEB-1"
    assert listed.splitlines()[0].split() == ["KEY", "STATUS", "P", "SPRINT", "TITLE", "NOTE"]
    assert "WEB-1  ○ backlog  high       –  Refuse bad e-mail" in listed
    assert "Map<string, List<int>>" in shown


async def test_a_check_that_the_repository_does_not_have_is_told(ada: SignedIn) -> None:
    shop = ada.person.repository("shop", remote=False)
    (shop / ".locus").mkdir()
    (shop / ".locus" / "config.toml").write_text('[checks.unit]\nrun = "true"\n')

    slip = await ada.did("tasks", "add", "One", "--check", "unti", "--red-first", "unit", cwd=shop)
    none = await ada.did("tasks", "add", "Two", "--check", "payment", cwd=shop)
    good = await ada.did("tasks", "add", "Three", "--check", "unit", "--check", "review", cwd=shop)
    elsewhere = await ada.did("tasks", "add", "Four", "--check", "unti")
    edited = await ada.did("tasks", "edit", "WEB-3", "--check", "unti", cwd=shop)

    assert "no check `unti`, so nothing here will tick it. Did you mean `unit`?" in slip
    assert "no check `payment`, so nothing here will tick it. It has: unit." in none
    assert "no check" not in good + elsewhere
    assert "no check `unti`" in edited


async def test_every_field_can_be_given_when_adding(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--start")
    await ada.did("tasks", "add", "Before")
    fields = ["--sprint", "active", "-p", "critical", "--role", "qa", "--assign", "ada", "--due", "2030-01-31"]
    fields += ["--parent", "web-1", "--after", "WEB-1", "-l", "a", "-l", "b", "-i", "read it", "--check", "unit"]

    task = await ada.told("tasks", "add", "Much", *fields)
    first = (await ada.told("tasks", "show", "WEB-1"))["task"]

    assert task["sprint_id"]
    assert (task["priority"], task["role"], task["assignee"], task["due_on"]) == ("CRITICAL", "QA", "ada", "2030-01-31")
    assert (task["parent_id"], task["depends_on"]) == (first["id"], [first["id"]])
    assert task["labels"] == ["a", "b"]
    assert [(item["text"], item["check"]) for item in task["checklist"]] == [
        ("read it", None),
        ("The check `unit` is green", "unit"),
    ]


async def test_the_list_says_what_agents_take_and_in_which_order(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--start")
    for title, priority in (("low", "low"), ("high", "high"), ("medium", "medium")):
        await ada.did("tasks", "add", title, "-p", priority, "--sprint", "active")
    await ada.did("tasks", "add", "elsewhere", "-p", "critical")

    in_order = [task["title"] for task in await ada.told("tasks", "list", "--next")]

    assert in_order == ["high", "medium", "low"]
    assert [task["title"] for task in await ada.told("tasks", "list", "--next", "-n", "1")] == ["high"]


async def test_what_is_done_is_left_out_unless_asked_for(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "one")
    await ada.did("tasks", "add", "two")
    await ada.did("tasks", "approve", "WEB-1")

    assert [task["key"] for task in await ada.told("tasks")] == ["WEB-2"]
    assert [task["key"] for task in await ada.told("tasks", "list", "-s", "done")] == ["WEB-1"]
    assert {task["key"] for task in await ada.told("tasks", "list", "--all")} == {"WEB-1", "WEB-2"}


async def test_an_empty_list_teaches_the_next_command(ada: SignedIn) -> None:
    assert "locus tasks add" in await ada.did("tasks")
    assert await ada.told("tasks") == []


async def test_fields_are_changed_and_cleared_by_flags(ada: SignedIn) -> None:
    await ada.did(
        "tasks", "add", "A", "-l", "x", "-l", "y", "--assign", "ada", "-i", "one", "-i", "two", "--due", "2030-01-31"
    )

    await ada.did("tasks", "edit", "WEB-1", "--remove-label", "x", "-l", "z", "--assign", "none", "--due", "none")
    task = await ada.told("tasks", "edit", "web-1", "--title", "B", "--remove-item", "1", "-i", "three", "-d", "")

    assert (task["title"], task["labels"], task["assignee"], task["due_on"]) == ("B", ["y", "z"], None, None)
    assert [item["text"] for item in task["checklist"]] == ["two", "three"]


async def test_a_change_by_flags_is_done_over_when_somebody_else_was_faster(
    ada: SignedIn, server: RunningServer
) -> None:
    await ada.did("tasks", "add", "A", "-l", "mine")
    async with server.client(ada.person.variables["LOCUS_API_KEY"]) as api:
        me = (await api.get("/api/v1/me")).content
        before = (await api.get(server.path("/tasks/WEB-1"))).content
        await ada.did("tasks", "edit", "WEB-1", "-l", "theirs")
        after = (await api.get(server.path("/tasks/WEB-1"))).content
    # As it looks to somebody whose first read came just before that change.
    answers = [reply(200, me), reply(200, before), problem(409, "stale"), reply(200, after), reply(200, after)]
    async with scripted(*answers) as script:
        ada.person.variables["LOCUS_SERVER"] = script.url
        await ada.did("tasks", "edit", "WEB-1", "-l", "more")

    edits = [json.loads(request.body)["labels"] for request in script.received if request.method == "PATCH"]
    versions = [request.headers["if-match"] for request in script.received if request.method == "PATCH"]
    assert edits == [["mine", "more"], ["mine", "theirs", "more"]]
    assert versions == ['"1"', '"2"']


async def test_title_and_description_are_written_in_the_person_s_editor(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "Old", "-d", "text")
    editor(ada, 'cat "$1" > "$HOME/seen"; printf "New\\n\\nfirst\\n\\nlast\\n" > "$1"')

    task = await ada.told("tasks", "edit", "WEB-1")

    seen = (ada.person.home / "seen").read_text()
    assert seen.startswith("Old\n\ntext\n\n<!-- locus")
    assert (task["title"], task["description"]) == ("New", "first\n\nlast")
    assert drafts(ada) == []


async def test_an_editor_that_changes_nothing_changes_nothing(ada: SignedIn) -> None:
    before = await ada.told("tasks", "add", "Same", "-d", "text")
    editor(ada, "true")

    assert (await ada.told("tasks", "edit", "WEB-1"))["version"] == before["version"]


async def test_what_was_typed_is_not_lost_when_somebody_else_was_faster(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "Old")
    # While the editor is open, somebody else changes the task.
    other = f'"{sys.executable}" -m locus tasks edit WEB-1 -p high -q'
    editor(ada, f'{other} || exit 9; printf "My long text\\n\\nof an hour\\n" > "$1"')

    said = await ada.locus("tasks", "edit", "WEB-1")

    task = (await ada.told("tasks", "show", "WEB-1"))["task"]
    (draft,) = (ada.person.state / "drafts").glob("*.md")
    assert said.code == 1
    assert str(draft) in said.err
    assert draft.read_text() == "My long text\n\nof an hour\n"
    assert (task["title"], task["priority"]) == ("Old", "HIGH")


async def test_what_was_typed_is_not_lost_when_the_server_refuses_it(ada: SignedIn) -> None:
    editor(ada, f'printf "{"x" * 201}" > "$1"')

    said = await ada.locus("tasks", "add")

    assert said.code == 1
    assert "title" in said.err
    assert drafts(ada) == ["x" * 201 + "\n"]


async def test_an_editor_that_fails_changes_nothing(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "Old")
    editor(ada, 'printf "New" > "$1"; exit 3')

    said = await ada.locus("tasks", "edit", "WEB-1")

    assert said.code == 1
    assert (await ada.told("tasks", "show", "WEB-1"))["task"]["title"] == "Old"


async def test_nothing_written_is_no_task(ada: SignedIn) -> None:
    editor(ada, "true")

    said = await ada.locus("tasks", "add")

    assert said.code == 1
    assert await ada.told("tasks") == []


async def test_without_an_editor_and_a_terminal_it_says_so(ada: SignedIn) -> None:
    said = await ada.locus("tasks", "add")

    assert said.code == 2


async def test_a_task_is_read_from_a_file(ada: SignedIn) -> None:
    (ada.person.home / "task.md").write_text("# Sign in\n\nWith a *code*.\n\n- fast\n")

    task = await ada.told("tasks", "add", "--from", "task.md")

    assert (task["title"], task["description"]) == ("Sign in", "With a *code*.\n\n- fast")


async def test_tasks_are_moved_into_a_sprint_and_in_its_order(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--start")
    for title in "ABC":
        await ada.did("tasks", "add", title)

    await ada.did("tasks", "move", "web-1", "web-2", "web-3", "--sprint", "active")
    await ada.did("tasks", "move", "web-3", "--before", "web-1")

    assert [task["title"] for task in await ada.told("tasks", "list", "--sprint", "1")] == ["C", "A", "B"]
    await ada.did("tasks", "move", "web-2", "--sprint", "none", "-p", "low")
    assert [task["title"] for task in await ada.told("tasks", "list", "--sprint", "none")] == ["B"]


async def test_a_person_s_decisions(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A", "-i", "read it")

    assert "WEB-1 is blocked" in await ada.did("tasks", "block", "web-1", "--reason", "needs-input")
    assert "needs input" in await ada.did("tasks")
    assert "WEB-1 is in the backlog" in await ada.did("tasks", "unblock", "web-1")
    await ada.did("tasks", "edit", "web-1", "--assign", "ada")
    assert "WEB-1 is in progress" in await ada.did("tasks", "status", "web-1", "in-progress")
    assert "WEB-1 is in review" in await ada.did("tasks", "status", "web-1", "in_review")
    refused = await ada.locus("tasks", "approve", "web-1")
    assert refused.code == 1
    assert "checklist" in refused.err
    assert "1 of 1 ticked" in await ada.did("tasks", "check", "web-1", "read")
    assert "WEB-1 is in the backlog" in await ada.did("tasks", "reject", "web-1", "-m", "not like this")
    assert "0 of 1 ticked" in await ada.did("tasks", "check", "web-1", "1", "--undo")
    assert "WEB-1 is done" in await ada.did("tasks", "approve", "web-1", "--force")
    shown = await ada.did("tasks", "show", "web-1")
    assert "not like this" in shown
    assert "Rejected" in shown


async def test_a_rejection_without_a_word_is_asked_for_one(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A")
    await ada.did("tasks", "approve", "WEB-1")

    assert (await ada.locus("tasks", "reject", "WEB-1")).code == 2
    assert (await ada.locus("tasks", "reject", "WEB-1", "-m", "  ")).code == 2
    editor(ada, 'printf "Say more" > "$1"')
    await ada.did("tasks", "reject", "WEB-1")

    assert "Say more" in await ada.did("tasks", "show", "WEB-1")


async def test_of_several_decisions_those_that_were_taken_are_said_before_the_refusal(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A")

    said = await ada.locus("tasks", "approve", "WEB-1", "WEB-99")

    assert said.code == 1
    assert "WEB-1 is done" in said.out
    assert "There is no task WEB-99 here." in said.err


async def test_a_checklist_item_that_a_check_proves_is_not_ticked_by_hand(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A", "--check", "unit")

    said = await ada.locus("tasks", "check", "WEB-1", "1")

    assert said.code == 2
    assert "`unit`" in said.err


async def test_comments_come_from_a_flag_or_the_editor(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A")
    await ada.did("tasks", "comment", "WEB-1", "-m", "by flag")
    editor(ada, 'printf "by editor\\n" > "$1"')
    await ada.did("tasks", "comment", "WEB-1")

    shown = await ada.told("tasks", "show", "WEB-1")

    assert [comment["text"] for comment in shown["comments"]] == ["by flag", "by editor"]


async def test_deleting_asks_first(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "A")

    def refuse() -> int | None:
        child = ada.person.at_terminal("tasks", "delete", "WEB-1")
        child.expect("for good")
        child.sendline("n")
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus

    assert await asyncio.to_thread(refuse) == 1
    assert len(await ada.told("tasks")) == 1
    await ada.did("tasks", "delete", "WEB-1", "--yes")
    assert await ada.told("tasks") == []


async def test_foreign_text_cannot_command_the_terminal(ada: SignedIn) -> None:
    # Titles are refused with control characters, descriptions and comments are not.
    await ada.did("tasks", "add", "turned \u202e around", "-d", "a\x1b]0;owned\x07b\x1b[2Jc")
    await ada.did("tasks", "comment", "WEB-1", "-m", "\x9b31mred")

    for said in (await ada.did("tasks", "show", "WEB-1"), await ada.watched("tasks", "show", "WEB-1")):
        assert "\\u{202e}" in said
        assert "\u202e" not in said
        assert "owned" not in said
        assert "\x9b" not in said
        assert "\x1b]" not in said
        assert "\x1b[2J" not in said
    shown = await ada.told("tasks", "show", "WEB-1")
    assert shown["task"]["description"] == "a\x1b]0;owned\x07b\x1b[2Jc"


async def test_a_long_title_is_cut_at_a_terminal_and_whole_in_a_pipe(ada: SignedIn) -> None:
    await ada.did("tasks", "add", "x" * 180)

    seen = await ada.watched("tasks", "list")

    assert "x" * 180 in await ada.did("tasks", "list")
    assert "…" in seen
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 100 for line in seen.splitlines())


async def test_a_key_that_may_only_look_cannot_write(server: RunningServer, tmp_path: Path) -> None:
    reader = await signed_in(server, tmp_path, purpose=Purpose.READ)

    assert (await reader.locus("tasks")).code == 0
    said = await reader.locus("tasks", "add", "A")
    assert said.code == 1
    assert "locus login" in said.err
