"""An agent that outlives its worker: its tree stays taken until it has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support import wrappers
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, one_of, workshop

from locus.local.sandbox import Policy
from locus.local.worker.loop import Run

# Says which files it has inherited; descriptors 0 to 2 are pipes.
TELLS = (
    "held = []\n"
    "for name in os.listdir('/proc/self/fd'):\n"
    "    try: held.append(os.readlink(f'/proc/self/fd/{name}'))\n"
    "    except OSError: pass\n"
    "pathlib.Path('held.txt').write_text('\\n'.join(held))"
)


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(server, tmp_path / "shop") as made:
        yield made


@pytest.mark.parametrize("sandboxed", [False, True], ids=["with the user's rights", "in the sandbox"])
async def test_an_agent_holds_the_lock_of_its_tree_as_long_as_it_lives(shop: Workshop, sandboxed: bool) -> None:
    if sandboxed and not wrappers.works():
        pytest.skip("bubblewrap makes no sandbox here")
    task = await shop.task("Tell what you hold")
    work = shop.workplace(shop.agent(TELLS))
    run = Run(replace(work, policy=Policy()) if sandboxed else work)

    async with run.work.plane:
        await run.run()

    held = shop.git("show", f"{(await shop.now(task)).commit}:held.txt", cwd=shop.remote).splitlines()
    lock = one_of(list((shop.state / "repositories").glob("*/1/lock")))
    assert any(path.removesuffix(" (deleted)").endswith("/1/lock") or path == str(lock) for path in held), held
