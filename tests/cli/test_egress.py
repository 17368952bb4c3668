"""`locus egress` as a person meets it: what they did is in it, and nobody can change it unnoticed."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> AsyncIterator[SignedIn]:
    """A person who has written two tasks and looked at one."""
    ada = await signed_in(server, tmp_path)
    await ada.did("tasks", "add", "Draw a line", "-d", "As straight as can be")
    await ada.did("tasks", "add", "Draw a circle")
    await ada.did("tasks", "show", "WEB-2")
    yield ada


def log_file(ada: SignedIn) -> Path:
    [found] = (ada.person.state / "egress").glob("*.jsonl")
    return found


async def test_everything_that_commands_asked_is_listed_with_its_answer(ada: SignedIn) -> None:
    found = await ada.told("egress", "log")

    posts = [request for request in found if request["method"] == "POST"]
    assert [request["body"]["title"] for request in posts] == ["Draw a line", "Draw a circle"]
    assert [request["status"] for request in posts] == [201, 201]
    assert all(request["server"] == ada.person.variables["LOCUS_SERVER"] for request in found)


async def test_the_key_is_nowhere_in_the_log(ada: SignedIn) -> None:
    assert ada.person.variables["LOCUS_API_KEY"] not in log_file(ada).read_text()


async def test_a_table_has_a_line_for_each_request(ada: SignedIn) -> None:
    lines = (await ada.did("egress", "log")).splitlines()

    assert lines[0].split() == ["N", "When", "Status", "Bytes", "Request"]
    assert sum("POST" in line and "/tasks" in line for line in lines) == 2


async def test_only_what_names_a_task_is_listed(ada: SignedIn) -> None:
    by_key = await ada.told("egress", "log", "--task", "WEB-2")
    task = (await ada.told("tasks", "show", "WEB-2"))["task"]["id"]
    by_id = await ada.told("egress", "log", "--task", task)

    assert by_key
    assert all("WEB-2" in request["path"] or task in json.dumps(request) for request in by_key)
    assert all(task in json.dumps(request) for request in by_id)


async def test_a_limit_gives_the_last_ones_and_a_date_the_later_ones(ada: SignedIn) -> None:
    everything = await ada.told("egress", "log")

    assert await ada.told("egress", "log", "--limit", "2") == everything[-2:]
    assert await ada.told("egress", "log", "--since", "1h") == everything
    assert await ada.told("egress", "log", "--since", f"{datetime.now(UTC) + timedelta(hours=1):%FT%TZ}") == []
    assert (await ada.locus("egress", "log", "--since", "yesterday")).code == 2


async def test_one_request_is_shown_as_it_was_sent(ada: SignedIn) -> None:
    [first, _] = [request for request in await ada.told("egress", "log") if request["method"] == "POST"]

    shown = await ada.did("egress", "show", str(first["number"]))
    missing = await ada.locus("egress", "show", "99999")

    assert f"POST {first['server']}{first['path']}" in shown
    assert '"title": "Draw a line"' in shown
    assert "As straight as can be" in shown
    assert "answer 201" in shown
    assert missing.code == 1
    assert "No request has the number 99999" in missing.err


async def test_an_untouched_log_is_proved_and_a_changed_one_is_not(ada: SignedIn) -> None:
    good = await ada.did("egress", "verify")
    file = log_file(ada)
    file.write_text(file.read_text().replace("Draw a line", "Draw a lime"))

    bad = await ada.locus("egress", "verify")
    as_json = await ada.locus("egress", "verify", "--json")

    assert "every line follows the one before" in good
    assert bad.code == 1
    assert "was changed after it was written" in bad.out
    told = json.loads(as_json.out)
    assert (as_json.code, told["whole"], len(told["broken"])) == (1, False, 1)


async def test_a_command_whose_log_cannot_be_written_sends_nothing_and_says_so(ada: SignedIn) -> None:
    before = len(await ada.told("tasks", "list"))
    (ada.person.state / "egress").rename(ada.person.state / "moved")
    (ada.person.state / "egress").write_text("in the way")

    said = await ada.locus("tasks", "add", "Unseen")
    (ada.person.state / "egress").unlink()

    assert said.code == 1
    assert "Nothing was sent" in said.err
    assert len(await ada.told("tasks", "list")) == before


async def test_the_path_is_told(ada: SignedIn) -> None:
    assert (await ada.did("egress", "path")).strip() == str(ada.person.state / "egress")
    assert (await ada.told("egress", "path"))["files"] == [str(log_file(ada))]


async def test_old_months_are_removed_when_somebody_says_so_and_the_rest_verifies(ada: SignedIn) -> None:
    said = await ada.did("egress", "prune", "--older-than", "90d")
    wrong = await ada.locus("egress", "prune", "--older-than", "soon")
    unsaid = await ada.locus("egress", "prune")

    assert "No month of the log is that old." in said
    assert (wrong.code, unsaid.code) == (2, 2)
    assert (await ada.told("egress", "prune", "--older-than", "1d", "--dry-run"))["files"] == []
    assert (await ada.told("egress", "verify"))["pruned"] == 0
