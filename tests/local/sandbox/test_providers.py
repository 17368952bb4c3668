"""What holds for every provider also holds in the sandbox, with the network open and with the provider's alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.agent_rigs import REAL_RIGS, RIGS, Played, Rig
from tests.support.model_server import Says
from tests.support.processes import until, with_argument, with_marker

from locus.local.providers.base import Ask, Ending, Event, Finished, ToolFinished, ToolStarted
from locus.local.providers.run import run
from locus.local.sandbox import Ground, Network, Policy, Sandbox, opened

pytestmark = pytest.mark.real_agent
LONG = "python3 -c 'import pathlib, time; pathlib.Path(\"begun\").touch(); time.sleep(600)'"


@pytest.fixture(params=Network)
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return RIGS[request.param](tmp_path)


@pytest.fixture(params=REAL_RIGS)
def real_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return REAL_RIGS[request.param](tmp_path)


@asynccontextmanager
async def walls(rig: Rig, played: Played, network: Network) -> AsyncIterator[Sandbox]:
    """A sandbox for the agent of a rig; what it tells must be nothing."""
    said: list[str] = []
    ground = Ground(tree=rig.work, private=rig.root / "private")
    needs = played.provider.needs(played.environment)
    async with opened(Policy(network=network), ground, needs, played.environment, tell=said.append) as sandbox:
        yield sandbox
    assert said == []


def ask(rig: Rig, session: str | None = None) -> Ask:
    return Ask(prompt="Do what the script says.", cwd=rig.work, run_id=str(uuid4()), session=session)


async def events_of(rig: Rig, played: Played, asked: Ask, network: Network) -> list[Event]:
    async with walls(rig, played, network) as sandbox:
        said = run(played.provider, asked, environment=played.environment, silence=30, wall=60, sandbox=sandbox)
        return [event async for event in said]


def ending(events: list[Event]) -> Finished:
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished


async def test_an_agent_that_edits_a_file_and_says_so_is_done(rig: Rig, network: Network) -> None:
    asked = ask(rig)
    with rig.plays(rig.writes("hello.txt", "hello\n"), Says("All done.")) as played:
        finished = ending(await events_of(rig, played, asked, network))

    assert finished.ending is Ending.DONE, finished
    assert (rig.work / "hello.txt").read_text() == "hello\n"
    assert finished.unread_lines == 0
    assert with_marker(asked.run_id) == []


async def test_its_tools_work_and_are_inside(real_rig: Rig, network: Network) -> None:
    (real_rig.root / "home" / ".netrc").parent.mkdir(exist_ok=True)
    (real_rig.root / "home" / ".netrc").write_text("a secret")
    command = "cat ~/.netrc; git --version && echo one > one.txt"
    with real_rig.plays(real_rig.runs(command), Says("Done.")) as played:
        events = await events_of(real_rig, played, ask(real_rig), network)

    assert [event.summary for event in events if isinstance(event, ToolStarted)] == [command]
    assert [event.ok for event in events if isinstance(event, ToolFinished)] == [True]
    assert (real_rig.work / "one.txt").read_text() == "one\n"
    assert "a secret" not in json.dumps([request.body for request in played.requests])
    assert ending(events).ending is Ending.DONE


async def test_a_stop_during_a_tool_leaves_no_process(rig: Rig, network: Network) -> None:
    asked, stop = ask(rig), asyncio.Event()
    with rig.plays(rig.runs(LONG), Says("never said")) as played:
        async with walls(rig, played, network) as sandbox:
            said = run(
                played.provider,
                asked,
                environment=played.environment,
                silence=30,
                wall=60,
                stop=stop,
                sandbox=sandbox,
            )
            running = asyncio.create_task(_all(said))
            await until((rig.work / "begun").exists, limit=30)
            assert len(with_marker(asked.run_id)) >= 3, "bubblewrap, the agent and its tool"
            stop.set()
            finished = ending(await running)

    assert finished.ending is Ending.STOPPED
    assert with_marker(asked.run_id) == []


async def test_an_agent_that_is_stopped_hears_the_signal_it_ends_well_at(tmp_path: Path, network: Network) -> None:
    rig, stop = RIGS["command"](tmp_path), asyncio.Event()
    tidy = "import signal; signal.signal(signal.SIGTERM, lambda *_: (open('tidied', 'w'), sys.exit(0)))"
    with rig.plays(Says(tidy), rig.runs("touch begun"), Says("import time; time.sleep(600)")) as played:
        async with walls(rig, played, network) as sandbox:
            said = run(
                played.provider,
                ask(rig),
                environment=played.environment,
                silence=30,
                wall=60,
                stop=stop,
                sandbox=sandbox,
            )
            running = asyncio.create_task(_all(said))
            await until((rig.work / "begun").exists, limit=30)
            stop.set()
            await running

    assert (rig.work / "tidied").exists()


async def test_a_server_that_the_agent_left_running_does_not_outlive_the_run(rig: Rig, network: Network) -> None:
    seconds = f"600.{uuid4().int % 10**9}"
    leave = f"env -i setsid sleep {seconds} > /dev/null 2>&1 & echo $! > pid"
    with rig.plays(rig.runs(leave), Says("Done.")) as played:
        finished = ending(await events_of(rig, played, ask(rig), network))

    assert finished.ending is Ending.DONE
    assert (rig.work / "pid").exists()
    assert with_argument(seconds) == []


async def test_a_session_goes_on(real_rig: Rig, network: Network) -> None:
    with real_rig.plays(Says("First answer.")) as played:
        first = ending(await events_of(real_rig, played, ask(real_rig), network))
    assert first.session is not None, first
    with real_rig.plays(Says("Second answer.")) as played:
        second = ending(await events_of(real_rig, played, ask(real_rig, first.session), network))
        sent = json.dumps(played.requests[0].body)

    assert (second.ending, second.session) == (Ending.DONE, first.session)
    assert "First answer." in sent
    assert second.usage == first.usage


async def _all(said: object) -> list[Event]:
    return [event async for event in said]  # type: ignore[attr-defined]
