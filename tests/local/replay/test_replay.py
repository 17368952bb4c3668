"""A run that was recorded is run again without its agent: the same tree and the same events come of it."""

from __future__ import annotations

import base64
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support import server as servers, wrappers
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.workshop import Ran, Workshop, workshop

from locus.cli.run.lines import kind
from locus.local.errors import LocalError
from locus.local.project import Check
from locus.local.providers.base import Provider
from locus.local.replay.player import Player
from locus.local.replay.record import Recorder
from locus.local.replay.recording import load
from locus.local.sandbox import Policy
from locus.local.worker.loop import Run

# Wrong at first, and mended when the check says so; then files of every kind.
AGENT = """
if 'Checks are red' in prompt:
    pathlib.Path('one.txt').write_text('right')
elif '# Your task: WEB-1' in prompt:
    pathlib.Path('one.txt').write_text('wrong')
    pathlib.Path('run.sh').write_text('#!/bin/sh\\n'); os.chmod('run.sh', 0o755)
    os.symlink('one.txt', 'link')
    os.remove('old.txt')
else:
    pathlib.Path('folder').mkdir(exist_ok=True)
    pathlib.Path('folder/two.bin').write_bytes(bytes(range(256)))
print('done with', os.getcwd(), 'as', os.environ['HOME'], flush=True)
"""
FILES = {"README.md": "# It\n", "old.txt": "old\n"}


@asynccontextmanager
async def shop(databases: Databases, place: Path) -> AsyncIterator[Workshop]:
    """A server and a repository of their own, with two tasks."""
    async with databases.one() as dsn, servers.running(dsn) as server, workshop(server, place, FILES) as made:
        made.checks.append(Check(name="unit", run="! grep -q wrong one.txt && echo 1 passed in 0.01s"))
        await made.task("Write one")
        await made.task("Write two")
        yield made


async def go(made: Workshop, provider: Provider, policy: Policy | None = None) -> Ran:
    run = Run(replace(made.workplace(provider), policy=policy))
    made.said.clear()
    async with run.work.plane:
        result = await run.run()
    return Ran(result, list(made.said))


def told(ran: Ran) -> list[str]:
    return [kind(one) for one in ran.said]


async def all_numbered(made: Workshop) -> bool:
    """Events get their numbers a moment after they happened."""
    return not await made.server.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NULL")


async def history(made: Workshop) -> list[tuple[Any, ...]]:
    """The server's events, without what is another every time: ids, names of agents, times, commits."""
    await until(lambda: all_numbered(made))
    rows = await made.server.pool.fetch(
        "SELECT e.seq, e.kind, t.number, e.detail ->> 'status' AS status, e.detail ->> 'fence' AS fence,"
        " e.detail ->> 'attempts' AS attempts FROM events e LEFT JOIN tasks t ON t.id = e.task_id"
        " WHERE e.workspace_id = $1 ORDER BY e.seq",
        made.server.workspace.id,
    )
    return [tuple(row.values()) for row in rows if row["kind"] not in ("agent.registered",)]


def trees(made: Workshop) -> list[str]:
    """The tree of every commit of the branch: what is in each, byte for byte."""
    return made.git("log", "--reverse", "--format=%T %s", "main..locus/sprint-1", cwd=made.remote).splitlines()


async def test_equal_inputs_give_an_identical_event_log_and_git_tree(databases: Databases, tmp_path: Path) -> None:
    path = tmp_path / "run.locus"
    async with shop(databases, tmp_path / "first") as made:
        recorded = await go(made, Recorder(made.agent(AGENT), path))
        first = told(recorded), await history(made), trees(made)
    replays = []
    for name, policy in (("second", None), ("third", Policy() if wrappers.works() else None)):
        async with shop(databases, tmp_path / name) as made:
            played = await go(made, Player(load(path)), policy)
            replays.append((told(played), await history(made), trees(made)))

    assert recorded.result.succeeded
    assert "checks_red" in first[0] and len(first[2]) == 2 and len(first[1]) > 6, "there is something to compare"
    assert replays[0] == first
    assert replays[1] == first, "in the sandbox it is the same"


async def test_secrets_and_places_are_not_recorded_and_what_is_over_is_said(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", "correct-horse-battery")
    token = "ghp_" + "aB3d" * 9
    path = tmp_path / "run.locus"
    agent = (
        f"print('it is correct-horse-battery, and {token}, in', os.getcwd(), flush=True)\n"
        f"pathlib.Path('note.txt').write_text('TOKEN={token}')\n"
    )
    async with shop(databases, tmp_path / "first") as made:
        await go(made, Recorder(made.agent(agent), path))
        recording = load(path)
        # A recording of one run of an agent, for a run that wants more.
        short = tmp_path / "short.locus"
        short.write_bytes(b"\n".join(path.read_bytes().splitlines()[:2]) + b"\n")
        for title in ("Write three", "Write four"):
            await made.task(title)
        played = await go(made, Player(load(short)))

    text = path.read_text() + "".join(base64.b64decode(left.data).decode() for left in recording.takes[0].left)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [left.path for left in recording.takes[0].left] == ["note.txt"]
    assert text.count("[redacted]") >= 3 and "{tree}" in text
    for secret in ("correct-horse-battery", token, token[4:], "/tree/", str(tmp_path / "first" / "home")):
        assert secret not in text, secret
    assert not played.result.succeeded
    assert "all were played" in str([one for one in played.said if kind(one) == "task_ended"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a recording"),
        ("{}", "is not a recording"),
        ('{"locus_recording": 99, "provider": "command", "locus_version": "9"}', "newer"),
        ('{"locus_recording": 1, "provider": "command", "locus_version": "9"}', "no run"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)

    with pytest.raises(LocalError, match=said):
        load(path)


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    from locus.local.providers.command import Command

    (tmp_path / "x").touch()

    with pytest.raises(LocalError, match="already"):
        Recorder(Command(("true",)), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b""
