"""`locus audit`: what the server recorded, exported and verified by somebody who does not trust it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> AsyncIterator[SignedIn]:
    """A person with a workspace in which three things have happened."""
    ada = await signed_in(server, tmp_path)
    await ada.did("sprints", "add", "First")
    await ada.did("tasks", "add", "Draw a line")
    await ada.did("tasks", "edit", "WEB-1", "--title", "Draw a \u202eline")

    async def numbered() -> bool:
        return await server.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NOT NULL") == 3

    await until(numbered)
    yield ada


async def tamper(server: RunningServer, statement: str) -> None:
    """Change history as somebody with all rights on the database could."""
    async with server.pool.acquire() as db:
        await db.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        await db.execute(statement)
        await db.execute("ALTER TABLE events ENABLE TRIGGER events_append_only")


async def test_an_untouched_history_is_a_whole_chain(ada: SignedIn) -> None:
    said = await ada.did("audit", "verify")

    assert "Events 1 to 3 are a whole chain." in said
    assert (await ada.told("audit", "verify"))["last_hash"] in said


async def test_a_key_that_may_only_look_is_enough(server: RunningServer, ada: SignedIn) -> None:
    ada.person.variables["LOCUS_API_KEY"] = await server.key(Purpose.READ, workspace=server.workspace)

    assert "whole chain" in await ada.did("audit", "verify")


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE events SET actor_name = 'mallory' WHERE seq = 2", 2),
        ("UPDATE events SET created_at = created_at - interval '1 day' WHERE seq = 1", 1),
        ("UPDATE events SET actor_id = gen_random_uuid() WHERE seq = 3", 3),
        ('UPDATE events SET detail = detail || \'{"title": "Something else"}\' WHERE seq = 2', 2),
        ("DELETE FROM events WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 2", 2),
    ],
)
async def test_a_history_that_was_changed_is_not(
    server: RunningServer, ada: SignedIn, statement: str, seq: int
) -> None:
    await tamper(server, statement)

    said = await ada.locus("audit", "verify")
    told = json.loads((await ada.locus("audit", "verify", "--json")).out)

    assert said.code == 1
    assert f"Event {seq} " in said.out
    assert told["broken"]["seq"] == seq


async def test_an_end_that_was_removed_is_noticed_after_one_look(server: RunningServer, ada: SignedIn) -> None:
    await ada.did("audit", "verify")
    await tamper(server, "DELETE FROM events WHERE seq = 3")
    await server.pool.execute("UPDATE event_heads SET seq = 2")

    said = await ada.locus("audit", "verify")

    assert said.code == 1
    assert "Event 3 is missing" in said.out


async def test_an_export_is_verified_without_the_server(ada: SignedIn, tmp_path: Path) -> None:
    exported = await ada.did("audit", "export")
    file = tmp_path / "trail.jsonl"
    file.write_text(exported)
    ada.person.variables["LOCUS_SERVER"] = "http://127.0.0.1:1"

    good = await ada.locus("audit", "verify", "--file", str(file))
    file.write_text(exported.replace("Draw a line", "Draw a lime"))
    bad = await ada.locus("audit", "verify", "--file", str(file))

    assert [json.loads(line)["event"]["seq"] for line in exported.splitlines()] == [1, 2, 3]
    assert (good.code, bad.code) == (0, 1)
    assert "Event 2 " in bad.out
    assert "\u202e" not in exported


async def test_a_file_that_is_not_there_is_told(ada: SignedIn) -> None:
    said = await ada.locus("audit", "verify", "--file", "nowhere.jsonl")

    assert said.code == 1
    assert "nowhere.jsonl cannot be read" in said.err
