"""What a claim tells about its task."""

from uuid import uuid4

from tests.server.dispatch.ground import Ground, Worker, completion, failure, giving_back

from locus.server.dispatch import claims, outcomes
from locus.server.events.log import Actor
from locus.server.tasks import comments, store
from locus.wire.events import ActorKind
from locus.wire.tasks import CommentKind
from locus.wire.work import FailReason

PERSON = Actor(ActorKind.PERSON, "Ada", uuid4())


async def test_the_snapshot_has_what_people_said_and_not_what_workers_said(ground: Ground, worker: Worker) -> None:
    task = await ground.read(await ground.task())
    robot = Actor(ActorKind.WORKER, "builder", worker.agent_id)
    await comments.write(ground.pool, PERSON, task, CommentKind.REJECTION, "The empty list <b>&</b> breaks it.")
    await comments.write(ground.pool, robot, task, CommentKind.COMMENT, "I have done it.")
    await comments.write(ground.pool, PERSON, task, CommentKind.COMMENT, "And mind `Map<string, List<int>>`.")

    snapshot = (await ground.granted(worker)).snapshot

    assert [(said.kind, said.text) for said in snapshot.comments] == [
        (CommentKind.REJECTION, "The empty list <b>&</b> breaks it."),
        (CommentKind.COMMENT, "And mind `Map<string, List<int>>`."),
    ]


async def test_the_snapshot_has_the_newest_comments_oldest_first(ground: Ground, worker: Worker) -> None:
    task = await ground.read(await ground.task())
    for number in range(claims.COMMENTS + 2):
        await comments.write(ground.pool, PERSON, task, CommentKind.COMMENT, str(number))

    snapshot = (await ground.granted(worker)).snapshot

    assert [said.text for said in snapshot.comments] == [str(n) for n in range(2, claims.COMMENTS + 2)]


async def test_the_snapshot_has_the_docs_of_the_task_without_their_text(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    doc_id = await ground.pool.fetchval(
        "INSERT INTO docs (workspace_id, title, text) VALUES ($1, 'Wire', 'long') RETURNING id", ground.workspace_id
    )
    await store.set_docs(ground.pool, ground.workspace_id, task_id, [doc_id])

    snapshot = (await ground.granted(worker)).snapshot

    assert [(doc.id, doc.title) for doc in snapshot.docs] == [(doc_id, "Wire")]
    assert snapshot.task.doc_ids == [doc_id]


async def test_the_snapshot_tells_why_the_last_counted_attempt_failed(ground: Ground, worker: Worker) -> None:
    await ground.task()
    for report in (
        lambda fence: failure(fence, FailReason.CHECKS_FAILED, "tests"),
        lambda fence: failure(fence, FailReason.PROVIDER_DOWN),
        giving_back,
    ):
        granted = await ground.granted(worker)
        said = report(granted.lease.fence)
        end = outcomes.release if report is giving_back else outcomes.fail
        await end(ground.pool, ground.holder(granted, worker), said)

    last = (await ground.granted(worker)).snapshot.last_failure

    assert last is not None
    assert (last.fence, last.reason, last.red_checks) == (1, FailReason.CHECKS_FAILED, ["tests"])


async def test_after_a_rejection_the_failure_before_the_reviewed_attempt_is_not_told(
    ground: Ground, worker: Worker
) -> None:
    task_id = await ground.task()
    first = await ground.granted(worker)
    await outcomes.fail(ground.pool, ground.holder(first, worker), failure(1))
    second = await ground.granted(worker)
    await outcomes.complete(ground.pool, ground.holder(second, worker), completion(2))
    await ground.pool.execute("UPDATE tasks SET status = 'BACKLOG' WHERE id = $1", task_id)

    assert (await ground.granted(worker)).snapshot.last_failure is None


async def test_an_expired_lease_is_told_as_the_last_failure(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)
    await ground.run_out(task_id)
    await outcomes.reap(ground.pool)

    last = (await ground.granted(worker)).snapshot.last_failure

    assert last is not None
    assert last.reason is FailReason.LEASE_EXPIRED
