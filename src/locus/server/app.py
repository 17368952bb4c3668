"""The application: every route, who may come in, what runs beside, and how errors leave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from locus.server import background
from locus.server.auth import api as people, bearer
from locus.server.auth.keyring import Keyring
from locus.server.auth.oauth import Providers
from locus.server.auth.sign_in import Door
from locus.server.auth.site import Site
from locus.server.dashboard import refusals, routes as dashboard
from locus.server.db.pool import Pool
from locus.server.dispatch import api as dispatch, reaper
from locus.server.dispatch.coalesce import Desks
from locus.server.docs import api as docs
from locus.server.events import api as events, sequencer
from locus.server.events.hub import Hub
from locus.server.events.log import Log
from locus.server.events.stream import Streams
from locus.server.http import health, reference, requests
from locus.server.http.frame import Frame
from locus.server.http.metrics import Metrics
from locus.server.mail import outbox
from locus.server.plans import api as plans
from locus.server.search import api as search
from locus.server.settings import Settings
from locus.server.sprints import api as sprints
from locus.server.tasks import api as tasks
from locus.server.workspaces import api as workspaces, keys, people_api as members
from locus.version import VERSION
from locus.wire.base import MAX_BODY

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

ROUTES = [
    *workspaces.ROUTES,
    *keys.ROUTES,
    *people.ROUTES,
    *members.ROUTES,
    *docs.ROUTES,
    *tasks.ROUTES,
    *sprints.ROUTES,
    *plans.ROUTES,
    *search.ROUTES,
    *events.ROUTES,
    *dispatch.ROUTES,
]
BESIDE = [*health.ROUTES, *reference.ROUTES]


def create_app(settings: Settings, pool: Pool, dsn: str, *, hub: Hub | None = None) -> Litestar:
    """The control plane on a migrated database. `dsn` is for the connections that listen and hold locks.

    The caller closes `pool` afterwards, and may close `hub` before, to send home whoever waits or streams.
    """
    hub = hub or Hub()
    log, keyring, metrics, site = Log(pool, hub), Keyring(pool), Metrics(), Site(settings.origin)
    door = Door(open=settings.sign_up == "open", mail_written=asyncio.Event())
    desks, streams = Desks(log, hub, settings.timing), Streams(pool, hub)

    @asynccontextmanager
    async def beside(app: Litestar) -> AsyncIterator[None]:
        works: dict[str, background.Work] = {
            "hub": partial(hub.listen, dsn),
            "sequencer": partial(sequencer.run, log, dsn),
            "reaper": partial(reaper.run, log, settings.timing),
            "mail": partial(outbox.run, pool, settings.relay, door.mail_written),
        }
        async with background.running(works):
            yield
        hub.close()
        await desks.close()

    app = Litestar(
        [
            Router("/api/v1", route_handlers=cast("list[ControllerRouterHandler]", ROUTES)),
            *BESIDE,
            dashboard.router(settings),
        ],
        dependencies={
            "principal": Provide(bearer.principal_of, sync_to_thread=False),
            "person": Provide(bearer.person_of, sync_to_thread=False),
            **given(pool=pool, log=log, timing=settings.timing, hub=hub),
            **given(desks=desks, streams=streams),
            **given(keyring=keyring, counted=metrics, version=VERSION, site=site),
            **given(door=door, providers=Providers(settings.oauth, settings.origin)),
        },
        guards=[bearer.guard(keyring, site, settings.body_seconds)],
        before_request=requests.checks(settings.body_seconds),
        request_class=requests.Request,
        request_max_body_size=MAX_BODY,
        exception_handlers={HTTPException: refusals.either, Exception: refusals.either},
        lifespan=[beside],
        # The description comes from the wire types themselves, and the log from the frame.
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    # Around everything, so that answers to unknown addresses are framed too.
    app.asgi_handler = Frame(app.asgi_handler, metrics)
    return app


def given(**things: Any) -> dict[str, Provide]:
    """Each thing as the dependency of its name."""
    return {name: Provide(_always(thing), sync_to_thread=False) for name, thing in things.items()}


def _always(thing: Any) -> Callable[[], Any]:
    return lambda: thing
