"""Activity: the newest first, filtered."""

import httpx
import msgspec
from tests.server.tasks.planning import Planner, told
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.wire.base import Page
from locus.wire.events import Event, EventKind
from locus.wire.workspaces import Purpose


async def activity(server: RunningServer, api: httpx.AsyncClient, **query: object) -> Page[Event]:
    return told(await api.get(server.path("/activity"), params=query), Page[Event])  # type: ignore[arg-type]


async def numbered(server: RunningServer) -> bool:
    return not await server.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NULL")


async def test_activity_is_read_backwards_page_by_page(server: RunningServer, api: httpx.AsyncClient) -> None:
    plan = Planner(server, api)
    await plan.tasks(5)
    await until(lambda: numbered(server))

    first = await activity(server, api, limit=3)
    second = await activity(server, api, limit=3, cursor=first.next_cursor)

    seqs = [event.seq for event in (*first.items, *second.items)]
    assert seqs == [5, 4, 3, 2, 1]
    assert second.next_cursor is None


async def test_activity_is_filtered_by_kind_actor_task_and_sprint(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    plan = Planner(server, api)
    sprint = await plan.sprint()
    inside, outside = await plan.task("Inside", sprint_id=sprint.id), await plan.task("Outside")
    async with server.client(await server.key(Purpose.MEMBER, name="Grace")) as grace:
        other = Planner(server, grace)
        await other.edit(outside, title="Renamed")
    await until(lambda: numbered(server))

    by_kind = await activity(server, api, kind=[EventKind.TASK_CREATED.value])
    by_actor = await activity(server, api, actor="Grace")
    by_task = await activity(server, api, task=str(outside.id))
    by_sprint = await activity(server, api, sprint=str(sprint.id), kind=["task.created"])
    nobody = await activity(server, api, actor_kind="worker")

    assert [event.task_id for event in by_kind.items] == [outside.id, inside.id]
    assert [event.kind for event in by_actor.items] == [EventKind.TASK_EDITED]
    assert [event.kind for event in by_task.items] == [EventKind.TASK_EDITED, EventKind.TASK_CREATED]
    assert [event.task_id for event in by_sprint.items] == [inside.id]
    assert nobody.items == []
    assert msgspec.json.decode((await api.get(server.path("/activity?cursor=xx"))).content)["status"] == 422
