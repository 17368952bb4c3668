"""For operators: is the process alive, can it serve, and what has it counted."""

from litestar import MediaType, Response, get
from litestar.di import NamedDependency

from locus.server.db.pool import Pool
from locus.server.errors import Unavailable
from locus.server.http.metrics import Gauge, Metrics
from locus.wire.base import Answer

# Cheap at any size: one row per workspace, and partial indexes of what is going on now.
NOW = """
    SELECT (SELECT coalesce(sum(seq), 0)::float8 FROM event_heads) AS head,
           (SELECT count(*)::float8 FROM events WHERE seq IS NULL) AS unnumbered,
           (SELECT count(*)::float8 FROM tasks WHERE status = 'IN_PROGRESS') AS leases
"""


class Health(Answer, frozen=True, kw_only=True):
    status: str
    version: str


@get("/healthz", opt={"public": True}, operation_id="health", tags=["operations"])
async def healthz(version: NamedDependency[str]) -> Health:
    """Tell that the process is alive."""
    return Health(status="ok", version=version)


@get("/readyz", opt={"public": True}, operation_id="readiness", tags=["operations"])
async def readyz(pool: NamedDependency[Pool], version: NamedDependency[str]) -> Health:
    """Tell that the database answers and has this program's tables."""
    if not await pool.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        raise Unavailable("The database has no tables yet; run the migrations.")
    return Health(status="ready", version=version)


@get("/metrics", opt={"public": True}, operation_id="metrics", tags=["operations"], media_type=MediaType.TEXT)
async def metrics(pool: NamedDependency[Pool], counted: NamedDependency[Metrics]) -> Response[str]:
    """Tell the counts and timings of this process for Prometheus."""
    row = await pool.fetchrow(NOW)
    assert row is not None
    gauges = [
        Gauge("locus_pool_connections", "Open connections to the database.", pool.size),
        Gauge("locus_pool_idle", "Open connections that nobody uses.", pool.idle),
        Gauge("locus_events_head", "Numbered events, over all workspaces.", row["head"]),
        Gauge("locus_events_unnumbered", "Events that wait for their number.", row["unnumbered"]),
        Gauge("locus_leases", "Tasks that a worker holds.", row["leases"]),
    ]
    return Response(counted.text(gauges), media_type="text/plain; version=0.0.4; charset=utf-8")


ROUTES = [healthz, readyz, metrics]
