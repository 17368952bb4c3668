"""What holds for every provider, tried with the real programs; their models are scripted."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.agent_rigs import REAL_RIGS, RIGS, Played, Rig, SubscribedClaudeRig
from tests.support.model_server import Breaks, Fails, Hangs, Says
from tests.support.processes import until, with_argument, with_marker

from locus.local.providers.base import (
    Ask,
    Ending,
    Event,
    Finished,
    SessionStarted,
    Text,
    ToolFinished,
    ToolStarted,
    Usage,
)
from locus.local.providers.run import run, version
from locus.local.providers.table import PROVIDERS

pytestmark = pytest.mark.real_agent


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return RIGS[request.param](tmp_path)


@pytest.fixture(params=REAL_RIGS)
def real_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return REAL_RIGS[request.param](tmp_path)


def ask(rig: Rig, prompt: str = "Do what the script says.", session: str | None = None) -> Ask:
    return Ask(prompt=prompt, cwd=rig.work, run_id=str(uuid4()), session=session)


async def events_of(played: Played, asked: Ask, *, silence: float = 30.0, wall: float = 60.0) -> list[Event]:
    said = run(played.provider, asked, environment=played.environment, silence=silence, wall=wall)
    return [event async for event in said]


def ending(events: list[Event]) -> Finished:
    """Return the one Finished, and check that it is one and the last."""
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return finished


def texts(events: list[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Text))


def test_every_provider_of_the_table_is_tried_here() -> None:
    assert set(RIGS) == set(PROVIDERS)


async def test_an_agent_that_edits_a_file_and_says_so_is_done(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(rig.writes("hello.txt", "hello\n"), Says("All done.")) as played:
        events = await events_of(played, asked)

    finished = ending(events)
    assert (finished.ending, finished.detail.strip() in ("", "All done.")) == (Ending.DONE, True)
    assert (rig.work / "hello.txt").read_text() == "hello\n"
    assert "All done." in texts(events)
    assert finished.exit is not None and finished.exit.ok
    assert finished.unread_lines == 0
    assert with_marker(asked.run_id) == []


async def test_what_it_does_comes_as_typed_events(real_rig: Rig) -> None:
    with real_rig.plays(real_rig.runs("echo one > one.txt"), Says("Done.")) as played:
        events = await events_of(played, ask(real_rig))

    started = [event for event in events if isinstance(event, ToolStarted)]
    ended = [event for event in events if isinstance(event, ToolFinished)]
    finished = ending(events)
    assert isinstance(events[0], SessionStarted)
    assert [tool.summary for tool in started] == ["echo one > one.txt"]
    assert [(tool.id, tool.ok) for tool in ended] == [(started[0].id, True)]
    assert finished.session == events[0].id
    assert finished.usage.input_tokens > 0 and finished.usage.output_tokens > 0
    assert finished.turns >= 1


async def test_a_tool_that_fails_is_told_and_the_run_goes_on(real_rig: Rig) -> None:
    with real_rig.plays(real_rig.runs("exit 3"), Says("It did not work.")) as played:
        events = await events_of(played, ask(real_rig))

    assert [event.ok for event in events if isinstance(event, ToolFinished)] == [False]
    assert ending(events).ending is Ending.DONE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Ending.FAILED),
        (401, Ending.NOT_SIGNED_IN),
        (500, Ending.PROVIDER_DOWN),
        (529, Ending.PROVIDER_DOWN),
    ],
)
async def test_an_error_of_the_service_ends_the_run_by_its_kind(real_rig: Rig, status: int, expected: Ending) -> None:
    with real_rig.plays(Fails(status)) as played:
        finished = ending(await events_of(played, ask(real_rig)))
        asked = len(played.requests)

    assert finished.ending is expected, finished
    assert finished.detail
    assert asked <= 8, "tries are bounded"


async def test_an_error_that_passes_does_not_end_the_run(real_rig: Rig) -> None:
    with real_rig.plays(Fails(500), Says("Now it works.")) as played:
        events = await events_of(played, ask(real_rig))

    assert ending(events).ending is Ending.DONE
    assert "Now it works." in texts(events)


async def test_a_connection_that_always_breaks_is_the_services_fault(real_rig: Rig) -> None:
    with real_rig.plays(Breaks()) as played:
        assert ending(await events_of(played, ask(real_rig))).ending is Ending.PROVIDER_DOWN


@pytest.mark.parametrize("rig_type", [SubscribedClaudeRig, REAL_RIGS["codex"]])
async def test_a_used_up_allowance_is_told_with_the_time_of_its_end(rig_type: type[Rig], tmp_path: Path) -> None:
    rig = rig_type(tmp_path)
    resets_at = int(time.time()) + 3600
    with rig.plays(rig.runs("echo 1 > one.txt"), rig.used_up(resets_at)) as played:
        finished = ending(await events_of(played, ask(rig)))

    assert finished.ending is Ending.USAGE_LIMIT
    assert finished.resets_at is not None
    assert finished.resets_at.timestamp() == resets_at
    assert finished.session is not None, "the session can be resumed then"


async def test_a_run_that_says_nothing_is_ended_as_silent(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(Hangs()) as played:
        finished = ending(await events_of(played, asked, silence=3.0))

    assert finished.ending is Ending.SILENT
    assert with_marker(asked.run_id) == []


async def test_a_run_that_falls_silent_in_the_middle_is_ended(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(rig.writes("half.txt", "half\n"), Hangs(after="I was about to")) as played:
        finished = ending(await events_of(played, asked, silence=10.0))

    assert finished.ending is Ending.SILENT
    assert (rig.work / "half.txt").exists()
    assert with_marker(asked.run_id) == []


async def test_a_run_that_takes_too_long_is_ended(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(Hangs()) as played:
        finished = ending(await events_of(played, asked, wall=3.0))

    assert finished.ending is Ending.WALL_LIMIT
    assert with_marker(asked.run_id) == []


LONG = "python3 -c 'import pathlib, time; pathlib.Path(\"begun\").touch(); time.sleep(600)'"


async def test_a_stop_during_a_tool_leaves_no_process(rig: Rig) -> None:
    asked, stop = ask(rig), asyncio.Event()
    with rig.plays(rig.runs(LONG), Says("never said")) as played:
        said = run(played.provider, asked, environment=played.environment, silence=30, wall=60, stop=stop)
        running = asyncio.create_task(_all(said))
        await until((rig.work / "begun").exists)
        assert len(with_marker(asked.run_id)) >= 2, "the agent and its tool"
        stop.set()
        finished = ending(await running)

    assert finished.ending is Ending.STOPPED
    assert with_marker(asked.run_id) == []


async def test_a_server_that_the_agent_left_running_does_not_outlive_the_run(rig: Rig) -> None:
    asked = ask(rig)
    seconds = f"600.{uuid4().int % 10**9}"  # an argument by which it is known
    leave = f"setsid sleep {seconds} > /dev/null 2>&1 & echo $! > pid"
    with rig.plays(rig.runs(leave), Says("Done.")) as played:
        said = run(played.provider, asked, environment=played.environment, silence=30, wall=60)
        async for event in said:
            if isinstance(event, Finished):
                assert event.ending is Ending.DONE
                assert with_argument(seconds) == []

    assert (rig.work / "pid").exists()


async def test_leaving_the_loop_early_leaves_no_process(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(rig.writes("first.txt", "1\n"), rig.runs(LONG)) as played:
        said = run(played.provider, asked, environment=played.environment, silence=30, wall=60)
        async with aclosing(said):
            async for _ in said:
                break

    assert with_marker(asked.run_id) == []


async def test_a_cancelled_run_leaves_no_process(rig: Rig) -> None:
    asked = ask(rig)
    with rig.plays(rig.runs(LONG), Says("never said")) as played:
        said = run(played.provider, asked, environment=played.environment, silence=30, wall=60)
        running = asyncio.create_task(_all(said))
        await until((rig.work / "begun").exists)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert with_marker(asked.run_id) == []


async def test_a_session_goes_on_and_its_usage_is_of_this_run_only(real_rig: Rig) -> None:
    with real_rig.plays(Says("First answer.")) as played:
        first = ending(await events_of(played, ask(real_rig)))
    assert first.session is not None
    with real_rig.plays(Says("Second answer.")) as played:
        events = await events_of(played, ask(real_rig, "Go on.", session=first.session))
        sent = json.dumps(played.requests[0].body)

    second = ending(events)
    assert second.ending is Ending.DONE
    assert second.session == first.session
    assert "First answer." in sent and "Go on." in sent
    assert second.usage == first.usage
    assert [event for event in events if isinstance(event, Usage)][-1] == second.usage


async def test_an_unknown_session_is_lost_and_not_replaced(real_rig: Rig) -> None:
    with real_rig.plays(Says("Who are you?")) as played:
        asked = ask(real_rig, session="01a20000-0000-7000-8000-00000000dead")
        finished = ending(await events_of(played, asked))

    assert finished.ending is Ending.SESSION_LOST
    assert finished.session is None
    assert played.requests == []


async def test_a_prompt_of_300_kilobytes_arrives_whole(real_rig: Rig) -> None:
    prompt = "Zeile äöü €\n" * 20_000 + "THE END"
    with real_rig.plays(Says("Read it.")) as played:
        finished = ending(await events_of(played, ask(real_rig, prompt)))
        sent = json.dumps(played.requests[0].body, ensure_ascii=False)

    assert finished.ending is Ending.DONE
    assert json.dumps(prompt, ensure_ascii=False)[1:-1] in sent


async def test_our_secrets_are_not_in_the_environment_of_a_tool(rig: Rig) -> None:
    with rig.plays(rig.runs("env > seen.txt"), Says("Done.")) as played:
        ours = {"LOCUS_API_KEY": "lcs_canary", "GITHUB_TOKEN": "ghp_canary", "DATABASE_URL": "postgres://canary"}
        said = run(played.provider, ask(rig), environment=played.environment | ours, silence=30, wall=60)
        await _all(said)

    seen = (rig.work / "seen.txt").read_text()
    assert "PATH=" in seen and "canary" not in seen


async def test_its_temporary_directory_is_its_own_and_is_gone_afterwards(rig: Rig) -> None:
    with rig.plays(rig.runs('echo x > "$TMPDIR/x"; echo "$TMPDIR" > where.txt'), Says("Done.")) as played:
        await events_of(played, ask(rig))

    where = Path((rig.work / "where.txt").read_text().strip())
    assert where.parent == Path(played.environment["TMPDIR"])
    assert not where.exists()


async def test_the_transcript_has_every_line_as_it_was_printed(rig: Rig) -> None:
    kept: list[bytes] = []
    with rig.plays(Says("All done.")) as played:
        said = run(
            played.provider, ask(rig), environment=played.environment, silence=30, wall=60, transcript=kept.append
        )
        await _all(said)

    assert kept and all(line.endswith(b"\n") for line in kept)
    assert any(b"All done." in line for line in kept)


async def test_a_program_that_is_not_there_is_missing(rig: Rig) -> None:
    with rig.plays(Says("x")) as played:
        (rig.root / "agent.py").unlink(missing_ok=True)
    nowhere = {**played.environment, "PATH": str(rig.root)}
    provider = PROVIDERS[rig.name]
    events = [event async for event in run(provider, ask(rig), environment=nowhere, silence=30, wall=60)]

    finished = ending(events)
    assert finished.ending is Ending.MISSING
    assert len(finished.detail.splitlines()) == 2, "what happened, and what to do"
    assert finished.exit is None


async def test_the_version_is_the_pinned_one(real_rig: Rig) -> None:
    with real_rig.plays(Says("x")) as played:
        said = await version(played.provider, played.environment)

    pinned = json.loads((Path(__file__).parents[2] / "agents" / "package.json").read_text())["dependencies"]
    assert said is not None
    assert any(number in said for number in pinned.values())


async def _all(said: object) -> list[Event]:
    return [event async for event in said]  # type: ignore[attr-defined]
