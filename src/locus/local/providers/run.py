"""One run of an agent, whichever: start it, watch it, tell what it says, end it and everything it started."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from msgspec.structs import replace

from locus.local.errors import LocalError
from locus.local.process import Child, base_environment, run as run_command
from locus.local.providers.asking import Listening, Verdict, Wanted
from locus.local.providers.base import Ask, Ending, Event, Finished, Notice, Provider, Usage, one_line
from locus.local.sandbox import TEMPORARY, Sandbox, fault

GRACE = 10.0  # seconds between the first signal and SIGKILL
GRACE_WHEN_LEFT = 2.0  # seconds, when nobody listens any more
VERSION_TIMEOUT = 20.0  # seconds
SHORTEST_WAIT = 0.01  # seconds
SCHEMA = "answer.schema.json"

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.-]+)?")

T = TypeVar("T")


async def run(
    provider: Provider,
    ask: Ask,
    *,
    environment: Mapping[str, str],
    silence: float,
    wall: float,
    stop: asyncio.Event | None = None,
    transcript: Callable[[bytes], None] | None = None,
    sandbox: Sandbox | None = None,
) -> AsyncGenerator[Event, None]:
    """Yield what the agent says and does. The last event is always Finished, exactly once.

    `environment` is ours; the agent gets the part that its provider lets through. `silence` and `wall` are in seconds:
    how long it may print nothing, and how long it may take. `stop` ends it early. `transcript` is given every line as
    it was printed. With a `sandbox` it works in there. When Finished comes, no process of the run is alive; leaving the
    loop early ends them, too.
    """
    if ask.asking is not None and not provider.ASKS:
        yield _missing(ask, f"Agents of {provider.NAME} cannot ask before they act.")
        return
    try:
        binary = provider.locate(environment)
    except LocalError as e:
        yield _missing(ask, str(e))
        return
    # Agents leave sockets, logs and caches in their temporary directory.
    with TemporaryDirectory(prefix="locus-", dir=_temporary(environment), ignore_cleanup_errors=True) as scratch:
        ask = replace(ask, sandboxed=sandbox is not None, schema_file=_schema(ask, Path(scratch), sandbox))
        variables = {**provider.environment(ask, environment), "TMPDIR": scratch}
        if sandbox is not None:
            variables = sandbox.for_agent(variables)
        reader = provider.reader(ask, variables)
        try:
            argv, opening = provider.command(ask, binary), provider.opening(ask)
            child = await _start(argv, opening, ask, variables, Path(scratch), sandbox)
        except LocalError as e:
            yield _missing(ask, str(e))
            return
        watch = _Watch(child, provider, silence=silence, wall=wall, stop=stop or asyncio.Event())
        watching = asyncio.create_task(watch.watch())
        lines = aiter(child.lines())
        try:
            while (line := await watch.hear(anext(lines, None))) is not None:
                if transcript is not None:
                    transcript(line + b"\n")
                for heard in reader.read(line):
                    match heard:
                        case Wanted():
                            yield await _answer(child, heard, ask, watching)
                        case Listening():
                            child.hang_up()
                        case _:
                            yield heard
            exit_ = await watch.hear(child.wait())
            await child.end(grace=0.0)
            await child.stderr_read()
        finally:
            watching.cancel()
            await child.end(grace=GRACE_WHEN_LEFT, first=provider.FIRST_SIGNAL)
            child.close()
        finished = reader.finish(exit_, child.stderr_tail)
    if sandbox is not None and (complaint := fault(exit_.code, child.stderr_tail)) is not None:
        finished = _missing(ask, f"The sandbox could not be made: {complaint}\nSee what is amiss: locus doctor")
    # We know why we ended it; what it said on its way out does not matter.
    yield finished if watch.cause is None else replace(finished, ending=watch.cause, detail=watch.explain())


async def _start(
    argv: list[str], opening: bytes, ask: Ask, variables: Mapping[str, str], scratch: Path, sandbox: Sandbox | None
) -> Child:
    """Start the agent, in the sandbox if there is one. Raises LocalError."""
    with ExitStack() as until_started:
        enclosure, env = None, variables
        if sandbox is not None:
            inside = until_started.enter_context(
                sandbox.around(cwd=ask.cwd, env=variables, scratch=scratch, agent=True)
            )
            enclosure, env = inside.enclosure, inside.env
        return await Child.start(
            argv,
            cwd=ask.cwd,
            env=env,
            stdin=opening,
            listens=ask.asking is not None,
            marker=ask.run_id,
            pass_fds=ask.descriptors,
            enclosure=enclosure,
        )


async def _answer(child: Child, wanted: Wanted, ask: Ask, watching: asyncio.Task[None]) -> Notice:
    """Have somebody decide, and tell the agent. Who is ended meanwhile needs no answer."""
    assert ask.asking is not None, "nobody asks who was not told to"
    deciding = asyncio.ensure_future(ask.asking.decide(wanted))
    try:
        await asyncio.wait({deciding, watching}, return_when=asyncio.FIRST_COMPLETED)
        verdict = await deciding if deciding.done() else Verdict.NO
    finally:
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)
    child.say(wanted.replies.get(verdict, wanted.replies[Verdict.NO]))
    said = {Verdict.ONCE: "allowed once", Verdict.RUN: "allowed for this run", Verdict.NO: "not allowed"}[verdict]
    return Notice(one_line(f"{wanted.tool} {said}: {wanted.what}"))


async def version(provider: Provider, environment: Mapping[str, str]) -> str | None:
    """Return the number of the program's version, as in 2.1.330; None when it cannot be asked or does not say."""
    if not provider.VERSION:
        return None
    try:
        binary = provider.locate(environment)
        completed = await run_command(
            [str(binary), *provider.VERSION],
            cwd=Path("/"),
            env=base_environment(environment),
            timeout=VERSION_TIMEOUT,
        )
    except LocalError:
        return None
    # Around the number each program says its name, in its own way.
    number = _VERSION.search(completed.stdout.decode(errors="replace"))
    return number[0] if completed.ok and number else None


class _Watch:
    """Ends a child that is silent, takes too long or must stop, and remembers why."""

    def __init__(self, child: Child, provider: Provider, *, silence: float, wall: float, stop: asyncio.Event) -> None:
        self.cause: Ending | None = None
        self._child = child
        self._provider = provider
        self._silence = silence
        self._wall = wall
        self._stop = stop
        self._over_at = time.monotonic() + wall
        # None while our own listener is busy with what was said: that is not the agent's silence.
        self._silent_at: float | None = None

    async def hear(self, said: Awaitable[T]) -> T:
        """Wait for what the child says or does, while its silence is measured."""
        self._silent_at = time.monotonic() + self._silence
        try:
            return await said
        finally:
            self._silent_at = None

    async def watch(self) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while (cause := self._what_is_over(stopping)) is None:
                now = time.monotonic()
                # A silence that has not begun cannot be over sooner than it may last.
                silent_at = self._silent_at or now + self._silence
                await asyncio.wait({stopping}, timeout=max(min(silent_at, self._over_at) - now, SHORTEST_WAIT))
        finally:
            stopping.cancel()
        self.cause = cause
        await self._child.end(grace=GRACE, first=self._provider.FIRST_SIGNAL)

    def _what_is_over(self, stopping: asyncio.Task[bool]) -> Ending | None:
        now = time.monotonic()
        if stopping.done():
            return Ending.STOPPED
        if now >= self._over_at:
            return Ending.WALL_LIMIT
        if self._silent_at is not None and now >= self._silent_at:
            return Ending.SILENT
        return None

    def explain(self) -> str:
        match self.cause:
            case Ending.SILENT:
                return f"It printed nothing for {self._silence:.0f} seconds."
            case Ending.WALL_LIMIT:
                return f"It was not done after {self._wall:.0f} seconds."
            case _:
                return "It was stopped."


def _schema(ask: Ask, scratch: Path, sandbox: Sandbox | None) -> Path | None:
    """The schema as a file in the run's own folder, by the name that it has for the agent."""
    if ask.schema is None:
        return None
    (scratch / SCHEMA).write_text(ask.schema, encoding="utf-8")
    return (TEMPORARY if sandbox is not None else scratch) / SCHEMA


def _temporary(environment: Mapping[str, str]) -> str | None:
    named = environment.get("TMPDIR")
    return named if named and Path(named).is_dir() else None


def _missing(ask: Ask, detail: str) -> Finished:
    return Finished(Ending.MISSING, detail, session=ask.session, usage=Usage(), turns=0, resets_at=None, exit=None)
