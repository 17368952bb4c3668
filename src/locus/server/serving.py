"""`serve`: from an address and a database to a server that answers, and to its orderly end."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import uvicorn
from litestar import Litestar

from locus.server.app import create_app
from locus.server.db import pool as pools
from locus.server.db.migrate import migrate
from locus.server.db.pool import Pool
from locus.server.db.source import Source, resolve
from locus.server.events.hub import Hub
from locus.server.events.log import Log
from locus.server.http.log import configure
from locus.server.program import Serve, UsageError
from locus.server.settings import LOOPBACK, Settings
from locus.server.workspaces.bootstrap import First, bootstrap
from locus.version import VERSION

logger = logging.getLogger("locus.server")

FINISHING = 10  # seconds for requests that run when the server is asked to end
KEEP_ALIVE = 65  # seconds; longer than the pools of clients and proxies, so that they close first
PARENT_CHECK = 1.0  # seconds between looks whether the parent still lives


class Ending:
    """The one way in which the server ends: waiters and streams go home, then requests finish.

    Before there is a server, whatever makes one is cancelled, so that a database that was started is stopped.
    """

    def __init__(self, making: "asyncio.Task[Any]", hub: Hub) -> None:
        self.server: uvicorn.Server | None = None
        self._making = making
        self._hub = hub

    def begin(self) -> None:
        """Begin to end; the second time, do not wait for requests."""
        self._hub.close()
        if self.server is None:
            self._making.cancel()
            return
        self.server.force_exit = self.server.should_exit
        self.server.should_exit = True


def listen(settings: Settings) -> socket.socket:
    """A socket bound to the address; port 0 takes any free one.

    Raises:
        UsageError: the address cannot be used.
    """
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if host not in LOOPBACK:
        logger.warning("answering on %s without TLS: put a proxy with TLS in front", host)
        if settings.public_url is None:
            logger.warning("nobody can sign in with a browser until LOCUS_SERVER_URL says where this server is found")
    try:
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as e:
        raise UsageError(f"Cannot listen on {host}:{port}: {e.strerror or e}. Choose another one with --port.") from e
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which these do not; without it
    # the body of an answer waits up to 40 ms for the other side to acknowledge the headers.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Source, Pool]]:
    """A migrated database and connections to it."""
    source = await resolve(settings.database_url, settings.data)
    try:
        for name in await migrate(source.dsn):
            logger.info("applied migration %s", name)
        pool = await pools.connect(source.dsn, size=settings.pool_size)
        try:
            yield source, pool
        finally:
            await pool.close()
    finally:
        await source.close()


async def serve(settings: Settings, wish: Serve) -> None:
    """Answer requests until SIGTERM, SIGINT or the end of the parent; prints one line of JSON when ready.

    Raises:
        UsageError: the address cannot be used.
        DatabaseUnavailable: there is no usable PostgreSQL.
    """
    configure(settings.log_format)
    making = asyncio.current_task()
    assert making is not None
    hub = Hub()
    with ended_by_signals(Ending(making, hub)) as ending, contextlib.closing(listen(settings)) as listening:
        settings = replace(settings, port=listening.getsockname()[1])
        async with watched(wish.parent_pid, ending), connected(settings) as (source, pool):
            first = (
                await bootstrap(Log(pool), wish.bootstrap, mint=wish.mint)
                if wish.bootstrap
                else First(None, None, None)
            )
            app = create_app(settings, pool, source.dsn, hub=hub)
            server = ending.server = uvicorn.Server(configuration(app, settings))
            # uvicorn's public serve() would take the signals, and end us with the one it got.
            serving = asyncio.create_task(server._serve(sockets=[listening]))
            await started(server, serving)
            say_ready(settings, source, first)
            await serving


def configuration(app: Litestar, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        http="httptools",
        server_header=False,
        # What X-Forwarded-For says is an address only when a proxy of ours has written it.
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FINISHING,
    )


@contextlib.contextmanager
def ended_by_signals(ending: Ending) -> Iterator[Ending]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.begin)
    try:
        yield ending
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def started(server: uvicorn.Server, serving: "asyncio.Task[None]") -> None:
    """Wait until the server answers; raises what ended it before."""
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.005)
    if serving.done():
        await serving


@contextlib.asynccontextmanager
async def watched(parent: int | None, ending: Ending) -> AsyncIterator[None]:
    """End the server inside the block when its parent has ended without saying so."""
    watch = asyncio.create_task(outlive(parent, ending)) if parent is not None else None
    try:
        yield
    finally:
        if watch is not None:
            watch.cancel()


async def outlive(parent: int, ending: Ending) -> None:
    ours = os.getppid() == parent
    while (os.getppid() == parent) if ours else exists(parent):  # noqa: ASYNC110  # the kernel has no event for it
        await asyncio.sleep(PARENT_CHECK)
    logger.warning("process %d, which started this server, has ended: so does the server", parent)
    ending.begin()


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def say_ready(settings: Settings, source: Source, first: First) -> None:
    """Tell whoever started us, on stdout, that requests are answered now; then there is nothing more to read."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    workspace = first.workspace
    line = {
        "ready": True,
        "url": f"http://{host}:{settings.port}",
        "version": VERSION,
        "data": str(settings.data),
        "database": "external" if source.cluster is None else "embedded",
        "key": first.secret,
        "sign_in": first.sign_in and settings.origin + first.sign_in,
        "workspace": workspace and {"id": str(workspace.id), "name": workspace.name, "prefix": workspace.prefix},
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
