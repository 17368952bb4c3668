"""Agents: who registered, how they say they are, and what the database's clock makes of their silence."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.events.log import Actor, record
from locus.server.settings import Timing
from locus.wire.agents import (
    Agent,
    AgentLiveness,
    AgentRegistration,
    AgentState,
    Heartbeat,
    HostClass,
    OsFamily,
    ProviderName,
)
from locus.wire.events import ActorKind, EventDetail, EventKind
from locus.wire.tasks import Phase

# $2 milliseconds of a heartbeat, $3 of a lease. A lease that has run out and is not reaped yet is no lease.
SELECT = """
    SELECT a.id, a.workspace_id, a.name, a.host_class, a.os_family, a.provider, a.provider_version, a.model,
           a.locus_version, a.state, a.parked_until, a.registered_at, a.last_heartbeat_at,
           t.id AS task_id, w.prefix || '-' || t.number AS task_key, t.phase,
           floor(extract(epoch FROM t.lease_expires_at - clock_timestamp()) * 1000)::int AS lease_expires_in_ms,
           CASE WHEN a.state = 'stopped' THEN 'stopped'
                WHEN a.last_heartbeat_at <= clock_timestamp() - $3 * interval '1 millisecond' THEN 'lost'
                WHEN a.state = 'parked' THEN 'parked'
                WHEN a.last_heartbeat_at <= clock_timestamp() - 2 * $2 * interval '1 millisecond' THEN 'silent'
                WHEN a.state = 'asleep' THEN 'asleep'
                ELSE 'live' END AS liveness
      FROM agents a
      JOIN workspaces w ON w.id = a.workspace_id
      LEFT JOIN LATERAL (
            SELECT * FROM tasks t
             WHERE t.workspace_id = a.workspace_id AND t.status = 'IN_PROGRESS' AND t.lease_agent_id = a.id
               AND t.lease_expires_at > clock_timestamp()
             ORDER BY t.claimed_at DESC LIMIT 1) t ON true
     WHERE a.workspace_id = $1
"""

GET = f"{SELECT} AND a.id = $4"

# The newest first.
LIST = f"""
    {SELECT} AND ($4::timestamptz IS NULL OR (a.registered_at, a.id) < ($4, $5::uuid))
     ORDER BY a.registered_at DESC, a.id DESC LIMIT $6
"""

REGISTER = """
    INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, provider_version, model,
                        locus_version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    RETURNING id
"""

BEAT = """
    WITH before AS (
        SELECT id, state, name FROM agents WHERE workspace_id = $1 AND id = $2 AND key_id = $3 FOR NO KEY UPDATE
    )
    UPDATE agents a SET state = $4, parked_until = $5, last_heartbeat_at = clock_timestamp()
      FROM before WHERE a.workspace_id = $1 AND a.id = before.id
    RETURNING a.name, before.state AS before
"""


async def register(
    db: Db, workspace_id: UUID, key_id: UUID, wanted: AgentRegistration, actor: Actor, timing: Timing
) -> Agent:
    """A new agent of the key `key_id`. Only that key may act for it."""
    agent_id: UUID = await db.fetchval(
        REGISTER,
        workspace_id,
        key_id,
        wanted.name,
        wanted.host_class.value,
        wanted.os_family.value,
        wanted.provider.value,
        wanted.provider_version,
        wanted.model,
        wanted.locus_version,
    )
    detail = EventDetail(agent_id=agent_id, agent_state=AgentState.IDLE.value, title=wanted.name)
    await record(db, workspace_id, EventKind.AGENT_REGISTERED, actor, detail=detail)
    return await get(db, workspace_id, agent_id, timing)


async def get(db: Db, workspace_id: UUID, agent_id: UUID, timing: Timing) -> Agent:
    """One agent, or NotFound."""
    row = await db.fetchrow(GET, workspace_id, timing.heartbeat_ms, timing.lease_ms, agent_id)
    if row is None:
        raise NotFound
    return _read(row)


async def page(
    db: Db, workspace_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int, timing: Timing
) -> list[Agent]:
    """At most `limit` agents, the newest first, registered before the one that `after` names."""
    registered, agent_id = after or (None, None)
    found = await db.fetch(LIST, workspace_id, timing.heartbeat_ms, timing.lease_ms, registered, agent_id, limit)
    return [_read(row) for row in found]


async def beat(db: Db, workspace_id: UUID, agent_id: UUID, key_id: UUID, said: Heartbeat) -> None:
    """The agent lives and is in this state. A change of state is an event.

    Raises:
        NotFound: the key has registered no such agent here.
    """
    row = await db.fetchrow(BEAT, workspace_id, agent_id, key_id, said.state.value, said.parked_until)
    if row is None:
        raise NotFound
    if row["before"] != said.state.value:
        actor = Actor(ActorKind.WORKER, row["name"], agent_id)
        detail = EventDetail(agent_id=agent_id, agent_state=said.state.value)
        await record(db, workspace_id, EventKind.AGENT_STATE, actor, detail=detail)


def _read(row: Record) -> Agent:
    return Agent(
        id=row["id"],
        workspace_id=row["workspace_id"],
        name=row["name"],
        host_class=HostClass(row["host_class"]),
        os_family=OsFamily(row["os_family"]),
        provider=ProviderName(row["provider"]),
        provider_version=row["provider_version"],
        model=row["model"],
        locus_version=row["locus_version"],
        state=AgentState(row["state"]),
        liveness=AgentLiveness(row["liveness"]),
        task_id=row["task_id"],
        task_key=row["task_key"],
        phase=None if row["phase"] is None else Phase(row["phase"]),
        lease_expires_in_ms=row["lease_expires_in_ms"],
        parked_until=row["parked_until"],
        registered_at=row["registered_at"],
        last_heartbeat_at=row["last_heartbeat_at"],
    )
