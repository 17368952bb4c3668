"""The oracle sees a violation of each kind when there is one, and none when there is none."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import asyncpg
import pytest
from tests.faults import oracle
from tests.faults.oracle import Question, fingerprint
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, workshop

EDIT = "pathlib.Path(prompt.split('# Your task: ')[1].split()[0] + '.txt').write_text('done\\n')"


@dataclass
class Scene:
    """One task in review and one that waits, as a run has left them."""

    shop: Workshop
    dsn: str
    question: Question
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def sql(self, statement: str) -> None:
        """Change history, which the database itself forbids."""
        db = await asyncpg.connect(self.dsn)
        try:
            await db.execute("SET session_replication_role = replica")  # no trigger, no foreign key
            await db.execute(statement)
        finally:
            await db.close()


@pytest.fixture
async def scene(server: RunningServer, dsn: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with workshop(server, tmp_path / "shop") as shop:
        await shop.task("Write one")
        ran = await shop.run(shop.agent(EDIT))
        assert ran.result.succeeded
        question = Question(
            dsn=dsn,
            workspace=str(server.workspace.id),
            bare=str(shop.remote),
            branch="locus/sprint-1",
            places=[str(shop.place / "machine")],
            checkouts={str(shop.root): fingerprint(shop.root)},
            pulls=[{"head": "locus/sprint-1"}],
        )
        made = Scene(shop, dsn, question)
        try:
            yield made
        finally:
            for process in made.processes:
                process.kill()
                process.wait()


async def ask(question: Question) -> dict[str, list[str]]:
    """Run the oracle as the program that it is; returns the judgements with a violation."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(Path(oracle.__file__))],
        input=json.dumps(asdict(question)).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["counted"]["tasks"] > 0 and told["counted"]["events"] > 0, "it has seen something"
    return {name: found for name, found in told["judgements"].items() if found}


def commit(scene: Scene, message: str, branch: str = "locus/sprint-1") -> None:
    shop = scene.shop
    parent = shop.git("rev-parse", "locus/sprint-1", cwd=shop.remote)
    made = shop.git("commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", message, cwd=shop.remote)
    shop.git("update-ref", f"refs/heads/{branch}", made, cwd=shop.remote)


async def loses(scene: Scene) -> None:
    await scene.shop.task("Nobody does this")


async def never_expires(scene: Scene) -> None:
    await scene.sql(
        "UPDATE tasks SET status = 'IN_PROGRESS', lease_agent_id = (SELECT id FROM agents LIMIT 1),"
        " lease_expires_at = clock_timestamp() + interval '2 hours'"
    )


async def commits_twice(scene: Scene) -> None:
    commit(scene, "WEB-1: again\n\nTask: WEB-1\nAttempt: 2")


async def completes_twice(scene: Scene) -> None:
    await scene.sql(
        "INSERT INTO attempts (workspace_id, task_id, fence, claimed_at, ended_at, outcome)"
        " SELECT workspace_id, task_id, fence + 1, ended_at, clock_timestamp(), outcome FROM attempts"
    )


async def tells_of_two_completions(scene: Scene) -> None:
    await scene.sql(
        "INSERT INTO events (workspace_id, kind, task_id, actor_kind, actor_name)"
        " SELECT workspace_id, kind, task_id, actor_kind, actor_name FROM events WHERE kind = 'task.completed'"
    )


async def names_a_commit_that_is_nowhere(scene: Scene) -> None:
    await scene.sql(f"UPDATE tasks SET commit_sha = '{'d' * 40}'")


async def names_the_commit_of_another_task(scene: Scene) -> None:
    commit(scene, "WEB-7: other\n\nTask: WEB-7\nAttempt: 1")
    sha = scene.shop.git("rev-parse", "locus/sprint-1", cwd=scene.shop.remote)
    await scene.sql(f"UPDATE tasks SET commit_sha = '{sha}'")


async def overlaps(scene: Scene) -> None:
    await scene.sql(
        "INSERT INTO attempts (workspace_id, task_id, fence, claimed_at, ended_at, outcome)"
        " SELECT workspace_id, task_id, fence + 5, claimed_at, ended_at, 'failed' FROM attempts WHERE fence = 1"
    )


async def leaves_a_gap(scene: Scene) -> None:
    await scene.sql("DELETE FROM events WHERE seq = 3")


async def leaves_a_branch(scene: Scene) -> None:
    commit(scene, "x", branch="locus/sprint-1-retry")


async def opens_a_second_pull_request(scene: Scene) -> None:
    scene.question.pulls.append({"head": "locus/sprint-1"})


async def leaves_a_process(scene: Scene) -> None:
    home = f"{scene.shop.place}/machine/home"
    scene.processes.append(subprocess.Popen(["sleep", "60"], env={"HOME": home}, start_new_session=True))


async def touches_the_index(scene: Scene) -> None:
    with (scene.shop.root / ".git" / "index").open("ab") as file:
        file.write(b"x")


async def touches_a_file(scene: Scene) -> None:
    root = scene.shop.root
    scene.question.checkouts[str(root)] = fingerprint(root)
    assert "changed_checkouts" not in await ask(scene.question)
    (root / "README.md").write_text("# Is\n")


async def changes_a_mode(scene: Scene) -> None:
    scene.question.checkouts[str(scene.shop.root)] = fingerprint(scene.shop.root)
    (scene.shop.root / "README.md").chmod(0o755)


# One after the other in one scene, so each has to add to what was found before.
PLANTED: list[tuple[Callable[[Scene], Awaitable[None]], str]] = [
    (loses, "lost"),
    (commits_twice, "twice_on_the_remote"),
    (leaves_a_gap, "events_with_gaps"),
    (tells_of_two_completions, "twice_at_the_server"),
    (completes_twice, "twice_at_the_server"),
    (overlaps, "overlapping"),
    (names_the_commit_of_another_task, "in_review_without_commit"),
    (names_a_commit_that_is_nowhere, "in_review_without_commit"),
    (leaves_a_branch, "stray_branches"),
    (opens_a_second_pull_request, "second_pull_requests"),
    (leaves_a_process, "survivors"),
    (touches_the_index, "changed_checkouts"),
    (touches_a_file, "changed_checkouts"),
    (changes_a_mode, "changed_checkouts"),
    (never_expires, "stuck"),
]


async def test_it_sees_every_violation_that_is_planted(scene: Scene) -> None:
    found = await ask(scene.question)
    assert found == {}
    for plant, judgement in PLANTED:
        before = found.get(judgement, []) if judgement != "changed_checkouts" else []
        await plant(scene)
        found = await ask(scene.question)
        assert set(found.get(judgement, [])) - set(before), f"{plant.__name__}: {found}"


async def test_a_branch_that_is_gone_is_seen(scene: Scene) -> None:
    scene.shop.git("update-ref", "-d", "refs/heads/locus/sprint-1", cwd=scene.shop.remote)

    assert "in_review_without_commit" in await ask(scene.question)


def test_every_judgement_has_a_violation_that_it_sees() -> None:
    assert {judgement for _, judgement in PLANTED} == {judgement.__name__ for judgement in oracle.JUDGEMENTS}


def test_it_shares_no_code_with_the_product() -> None:
    lines = Path(oracle.__file__).read_text().splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.lstrip().startswith(("import ", "from "))}
    assert "asyncpg" in imported
    assert not imported & {"locus", "tests"}
