"""A PostgreSQL of our own in a data directory: started on need, shared by processes, stopped by the last to leave."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from locus.server.db import postmaster
from locus.server.db.errors import DatabaseUnavailable, from_os_error, why_it_failed
from locus.server.db.home import PORT, SOCKET, Home, Lock, alone, becomes_true, locate
from locus.server.db.postmaster import SUPERUSER
from locus.server.db.probe import State, probe

DATABASE = "locus"
PATIENCE = 60.0  # seconds for a start; recovery after a crash is part of it
ORDERLY = 30.0  # seconds for a fast shutdown before an immediate one
UNDONE = 5.0  # seconds that a start which is given up may take to end
POLL = 0.01  # seconds between two looks
AGAIN = 0.1  # seconds before another start beside the remains of a killed server


@dataclass(frozen=True)
class Cluster:
    """A running embedded PostgreSQL. `started` tells whether this call to ensure() started it or found it running."""

    home: Home
    started: bool
    _use: Lock | None

    def dsn(self, database: str = DATABASE) -> str:
        """Where asyncpg finds a database of this cluster. PG* variables cannot redirect it."""
        return (
            f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={quote(str(self.home.sockets), safe='')}"
            f"&port={PORT}&target_session_attrs=any&sslmode=disable"
        )

    async def close(self) -> None:
        """Stop using the cluster, and stop it unless it is detached or another process uses it. Safe to repeat."""
        if self._use is None or self._use.released:
            return
        try:
            async with alone(self.home.data, limit=PATIENCE):
                if not self.home.detached.exists() and self._use.try_alone():
                    await _stop(self.home)
        finally:
            self._use.release()


async def ensure(
    data: Path,
    *,
    database: str = DATABASE,
    detach: bool = False,
    settings: Mapping[str, str] | None = None,
    programs: Path | None = None,
    limit: float = PATIENCE,
) -> Cluster:
    """The cluster in the directory `data`, running and with a database of this name; any number of processes may ask.

    Whoever asked uses it until `close()`, or until its process ends in whatever way. The last user that closes stops
    the server. A user that was killed stops nothing: the server runs on, and the next one finds it running.

    Args:
        data: a directory for the cluster alone; made when it does not exist.
        detach: let the server run until `stop(data)`; the result does not count as a user.
        settings: PostgreSQL settings in addition to ours; without effect on a server that already runs.
        programs: the directory of `postgres` and `initdb`; by default the bundled ones, else those of the machine.
        limit: seconds that a start may take.

    Raises:
        DatabaseUnavailable: it cannot be started; says why, and what to do.
    """
    try:
        home = await asyncio.to_thread(locate, data)
        async with alone(home.data, limit=limit):
            use = None if detach else Lock(home.data / "users")
            try:
                if use:
                    use.with_others()  # does not wait: only the holder of the other lock takes this one alone
                start = _Start(home, database, dict(settings or {}), programs)
                await start.until_ready(limit)
                if detach:
                    home.detached.touch()
            except BaseException:
                if use:
                    use.release()
                raise
        return Cluster(home, start.launched, use)
    except OSError as error:
        raise from_os_error(error, where=str(data)) from error


async def stop(data: Path) -> bool:
    """Stop the cluster in `data`, whoever uses it, and tell whether one was running."""
    try:
        if not await asyncio.to_thread(data.is_dir):
            return False
        home = await asyncio.to_thread(locate, data)
        async with alone(home.data, limit=PATIENCE):
            home.detached.unlink(missing_ok=True)
            return await _stop(home)
    except OSError as error:
        raise from_os_error(error, where=str(data)) from error


async def remove(data: Path) -> None:
    """Stop the cluster in `data` and delete it with all its rows, also where root's account had to put it elsewhere."""
    await stop(data)
    try:
        if await asyncio.to_thread(data.is_dir):
            home = await asyncio.to_thread(locate, data)
            await asyncio.to_thread(home.delete)
    except OSError as error:
        raise from_os_error(error, where=str(data)) from error


class _Start:
    """One attempt to get from whatever is there to a server that answers."""

    def __init__(self, home: Home, database: str, settings: Mapping[str, str], programs: Path | None) -> None:
        self._home = home
        self._database = database
        self._settings = settings
        self._folder = programs
        self._pid: int | None = None  # of the postmaster we launched and still wait for
        self._log_from = 0
        self.launched = False

    async def until_ready(self, limit: float) -> None:
        try:
            async with asyncio.timeout(limit):
                while True:
                    if await self._step():
                        return
                    await asyncio.sleep(POLL)
        except TimeoutError:
            said = postmaster.log_since(self._home, self._log_from)
            await self._undo()
            raise why_it_failed(
                f"PostgreSQL in {self._home.root} did not answer within {limit:.0f} seconds.",
                said,
                where=str(self._home.root),
            ) from None
        except BaseException:
            await self._undo()
            raise

    async def _step(self) -> bool:
        """One look and at most one action; True when the server answers for our database."""
        home = self._home
        if self._pid is not None:
            if not postmaster.lives(self._pid):
                self._pid = None
                said = postmaster.log_since(home, self._log_from)
                if not any(sign in said for sign in postmaster.REMAINS):
                    raise why_it_failed("PostgreSQL did not start.", said, where=str(home.root))
                await asyncio.sleep(AGAIN)
                return False
            found = postmaster.recorded(home)
            if not (found and found.pid == self._pid and found.ready):
                return False  # speaking to it now would only fill its log
        state = await probe(home.sockets / SOCKET, user=SUPERUSER, database=self._database)
        if state is State.READY:
            return True
        if state is State.NO_DATABASE:
            await _create_database(home, self._database)
        elif state is State.ABSENT and self._pid is None:
            await self._launch_unless_another_lives()
        return False

    async def _launch_unless_another_lives(self) -> None:
        home = self._home
        found = postmaster.recorded(home)
        if found and postmaster.serves(found.pid, home):
            if found.ready and not (home.sockets / SOCKET).exists():
                # Something swept its socket away: nobody can reach it, so nobody uses it.
                postmaster.end(found.pid, signal.SIGINT)
            return
        await _to_its_end(self._launch)
        self.launched = True

    def _launch(self) -> None:
        programs = postmaster.prepare(self._home, self._folder)
        self._log_from = postmaster.begin_log(self._home)
        self._pid = postmaster.launch(self._home, programs, self._settings)

    async def _undo(self) -> None:
        # More than once: the shell that launches it has it ignore the signal until it has set up its own handlers.
        for _ in range(round(UNDONE / POLL)):
            if self._pid is None or not postmaster.lives(self._pid):
                return
            postmaster.end(self._pid, signal.SIGINT)
            await asyncio.sleep(POLL)


async def _to_its_end(work: Callable[[], None]) -> None:
    """Run `work` in a thread. A cancellation waits for its end: it must not go on when the lock is let go."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


async def _create_database(home: Home, name: str) -> None:
    quoted = name.replace('"', '""')
    try:
        connection = await asyncpg.connect(Cluster(home, False, None).dsn("postgres"), timeout=10)
        try:
            await connection.execute(f'CREATE DATABASE "{quoted}" TEMPLATE template0')
        finally:
            await connection.close()
    except asyncpg.DuplicateDatabaseError:
        pass  # another process was faster
    except (asyncpg.PostgresError, TimeoutError) as error:
        raise why_it_failed(
            f"PostgreSQL did not make the database {name}.", str(error), where=str(home.root)
        ) from error


async def _stop(home: Home) -> bool:
    found = postmaster.recorded(home)
    if not found or not postmaster.serves(found.pid, home):
        return False
    for how, limit in ((signal.SIGINT, ORDERLY), (signal.SIGQUIT, 10.0)):
        postmaster.end(found.pid, how)
        if await becomes_true(lambda: not postmaster.lives(found.pid), limit=limit):
            return True
    raise DatabaseUnavailable(
        f"PostgreSQL (process {found.pid}) in {home.root} does not end.",
        remedy=f"Look at {home.log}, and end the process.",
    )
