"""An approval that is killed with -9: the change waits for the person as before, and no agent gets the task."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.test_review_hold import ada, on_remote, shop
from tests.support import person as persons
from tests.support.at_server import SignedIn
from tests.support.fault_proxy import Act, between
from tests.support.polling import until
from tests.support.workshop import Workshop

from locus.server.dispatch import outcomes
from locus.wire.tasks import BlockedReason, Status

__all__ = ["ada", "shop"]
LIMIT = 60.0  # seconds to wait for a fact


def a_check_that_stops(shop: Workshop, there: Path, go: Path) -> None:
    """Configure a check that shows that it runs, and goes on when it may."""
    config = shop.root / ".locus" / "config.toml"
    config.parent.mkdir()
    stops = f"PATH=/usr/bin:/bin; : > {there}; while ! test -e {go}; do sleep 0.1; done"
    config.write_text(f'[checks.slow]\nrun = "{stops}"\n')


async def killed(ada: SignedIn, shop: Workshop, there: Path) -> None:
    """Approve, and be killed when the file is there."""
    worker = subprocess.Popen(
        persons.command("review-hold", "WEB-1", "--approve", "--yes"),
        cwd=shop.root,
        env=ada.person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    async def exists() -> bool:
        assert worker.poll() is None, "it ended before it came there"
        return there.exists()

    try:
        await until(exists, limit=LIMIT)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


async def run(ada: SignedIn, shop: Workshop) -> str:
    """What the next run says, whose agent would gladly have the task."""
    agent = shop.place / "eager.py"
    agent.write_text("import pathlib, sys\nsys.stdin.read()\npathlib.Path('one.txt').touch()\n")
    ada.person.variables["LOCUS_AGENT_COMMAND"] = f"{sys.executable} {agent}"
    ada.person.variables["LOCUS_PROVIDER"] = "command"
    return await ada.did("run", "--yes", "--no-sandbox", cwd=shop.root)


async def waits_as_before(ada: SignedIn, shop: Workshop) -> None:
    task = await shop.plane.tasks.get("WEB-1")
    assert (task.status, task.blocked_reason) == (Status.BLOCKED, BlockedReason.POLICY)
    assert on_remote(shop) == []
    assert "+# new rules" in await ada.did("review-hold", "WEB-1", cwd=shop.root)

    await ada.did("review-hold", "WEB-1", "--approve", "--yes", cwd=shop.root)

    assert on_remote(shop) == ["WEB-1: Change the rules"]
    assert (await ada.did("parked", "list", "--json", cwd=shop.root)).strip() == "[]"


async def test_an_approval_that_is_killed_before_its_commit_is_held_again(shop: Workshop, ada: SignedIn) -> None:
    there, go = shop.place / "there", shop.place / "go"
    a_check_that_stops(shop, there, go)

    await killed(ada, shop, there)
    go.touch()
    said = await run(ada, shop)

    assert "WEB-1 was left behind by a killed worker: it is blocked again" in said
    await waits_as_before(ada, shop)


async def test_an_approval_that_is_killed_before_it_knows_of_its_lease_is_held_again(
    shop: Workshop, ada: SignedIn
) -> None:
    there, direct = shop.place / "there", ada.person.variables["LOCUS_SERVER"]
    with between(direct) as proxy:
        ada.person.variables["LOCUS_SERVER"] = proxy.url
        rule = proxy.rule(Act.HOLD_ANSWER, "POST .*/lease$")
        told = asyncio.create_task(asyncio.to_thread(lambda: rule.there.wait(LIMIT) and there.touch()))
        await killed(ada, shop, there)
        await told
        assert (await shop.plane.tasks.get("WEB-1")).status is Status.IN_PROGRESS
        rule.lose()
    ada.person.variables["LOCUS_SERVER"] = direct

    said = await run(ada, shop)

    assert "WEB-1 was left behind by a killed worker: it is blocked again" in said
    await waits_as_before(ada, shop)


async def test_an_approval_whose_lease_ended_before_anybody_looked_is_held_all_the_same(
    shop: Workshop, ada: SignedIn
) -> None:
    there, go = shop.place / "there", shop.place / "go"
    a_check_that_stops(shop, there, go)

    await killed(ada, shop, there)
    go.touch()
    await shop.server.pool.execute(
        "UPDATE tasks SET lease_expires_at = clock_timestamp() WHERE lease_expires_at IS NOT NULL"
    )
    assert await outcomes.reap(shop.server.pool) == 1
    said = await run(ada, shop)

    assert "its lease had ended" in said
    await waits_as_before(ada, shop)
