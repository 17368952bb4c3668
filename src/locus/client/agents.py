"""Agents: the workers on people's machines."""

from collections.abc import AsyncIterator
from uuid import UUID

from locus.client.subject import Subject, every, segment
from locus.wire.agents import Agent, AgentRegistration, Heartbeat, HeartbeatAnswer


class Agents(Subject):
    def all(self) -> AsyncIterator[Agent]:
        return every(self._transport, self._path("/agents"), Agent)

    async def get(self, agent_id: UUID) -> Agent:
        return await self._transport.get(self._path(f"/agents/{segment(agent_id)}"), Agent)

    async def register(
        self, registration: AgentRegistration, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Agent:
        return await self._transport.post(
            self._path("/agents"), registration, Agent, idempotency_key=idempotency_key, deadline=deadline
        )

    async def heartbeat(
        self, agent_id: UUID, heartbeat: Heartbeat, *, deadline: float | None = None
    ) -> HeartbeatAnswer:
        """Say that the agent lives, and keep its lease; `lease_held` false means that the lease is gone."""
        return await self._transport.post(
            self._path(f"/agents/{segment(agent_id)}/heartbeat"), heartbeat, HeartbeatAnswer, deadline=deadline
        )
