"""Workers over HTTP: what the tests of dispatch's routes share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec
from tests.server.dispatch.ground import Ground
from tests.support.server import RunningServer

from locus.wire.agents import Agent
from locus.wire.work import Claimed, OutcomeRecorded
from locus.wire.workspaces import Purpose

T = TypeVar("T")

REGISTRATION = {
    "name": "builder",
    "host_class": "ci",
    "os_family": "linux",
    "provider": "command",
    "locus_version": "1.0",
}
NUMBERS = {"provider": "command"}


def told(response: httpx.Response, kind: type[T], status: int = 200) -> T:
    """The body of an answer that must have this status."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    return msgspec.json.decode(response.content, type=kind)


def refused(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


@dataclass(frozen=True)
class Member:
    """One worker of the crew: a client with a key, and the agent that it registered."""

    server: RunningServer
    client: httpx.AsyncClient
    agent: Agent

    async def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        content = None if body is None else msgspec.json.encode(body)
        typed = {} if body is None else {"Content-Type": "application/json"}
        return await self.client.post(self.server.path(path), content=content, headers={**headers, **typed})

    async def ask(self, *, key: str | None = None, **fields: Any) -> httpx.Response:
        return await self.post("/dispatch/claim", {"agent_id": self.agent.id, **fields}, key=key)

    async def claim(self, *, key: str | None = None, **fields: Any) -> Claimed:
        return told(await self.ask(key=key, **fields), Claimed)

    async def lease(
        self, task: UUID | str, verb: str, body: object = None, *, key: str | None = None
    ) -> httpx.Response:
        return await self.post(f"/tasks/{task}/lease/{verb}", body, key=key)

    async def complete(self, task: UUID | str, fence: int, *, key: str | None = None) -> OutcomeRecorded:
        return told(await self.lease(task, "complete", completed(fence), key=key), OutcomeRecorded)


def completed(fence: int) -> dict[str, object]:
    return {"fence": fence, "commit": "a" * 40, "branch": "locus/sprint-1", "evidence": [], "numbers": NUMBERS}


def failed(fence: int, reason: str = "agent_failed") -> dict[str, object]:
    return {"fence": fence, "reason": reason, "numbers": NUMBERS}


@asynccontextmanager
async def member(server: RunningServer, purpose: Purpose = Purpose.WORKER) -> AsyncIterator[Member]:
    """A worker with a key of its own."""
    async with server.client(await server.key(purpose, workspace=server.workspace)) as client:
        response = await client.post(server.path("/agents"), json=REGISTRATION)
        yield Member(server, client, told(response, Agent, 201))


async def ground_of(server: RunningServer) -> Ground:
    """The server's workspace as ground, with an active sprint."""
    ground = Ground(server.pool, server.workspace.id, UUID(int=0))
    ground.sprint_id = await ground.sprint("ACTIVE", 1)
    return ground
