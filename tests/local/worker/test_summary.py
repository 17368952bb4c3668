"""Summaries of finished work: only where the workspace asks and the user does not forbid, and scrubbed."""

import asyncio

from tests.support.polling import until
from tests.support.workshop import Workshop, one_of

from locus.local.project import Check
from locus.local.worker import told
from locus.local.worker.outcome import Completed
from locus.local.worker.summary import ASKED
from locus.wire.tasks import Status, Task

GOOD = "Invoices now round each rate once, at the end."
WORK = "pathlib.Path(f'{time.time_ns()}.txt').touch()"


async def ask(shop: Workshop, wanted: bool = True) -> None:
    async with shop.server.client(await shop.server.key()) as api:
        changed = await api.patch(shop.server.path(), json={"summaries": wanted}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text


async def summaries(shop: Workshop, task: Task) -> list[str | None]:
    return [one.summary async for one in shop.plane.tasks.attempts(task.id)]


async def test_the_agents_last_words_are_sent_where_the_workspace_asks_for_them(shop: Workshop) -> None:
    task = await shop.task("Add one")
    await ask(shop)

    ran = await shop.run(shop.agent(f"{WORK}\nprint('It begins with this and that.')\nprint({GOOD!r})"))

    assert ran.result.succeeded
    assert await summaries(shop, task) == [GOOD]
    assert one_of(ran.of(told.TaskEnded)).outcome.summary == GOOD  # type: ignore[union-attr]


async def test_where_nobody_asks_nothing_is_sent_or_said(shop: Workshop) -> None:
    task = await shop.task("Add one")

    ran = await shop.run(shop.agent(f"{WORK}\nprint({GOOD!r})"))

    assert await summaries(shop, task) == [None]
    assert isinstance(one_of(ran.of(told.TaskEnded)).outcome, Completed)
    assert ASKED not in [note.text for note in ran.of(told.Note)]


async def test_the_users_no_counts_whatever_the_workspace_asks(shop: Workshop) -> None:
    task = await shop.task("Add one")
    await ask(shop)

    ran = await shop.run(shop.agent(f"{WORK}\nprint({GOOD!r})"), summaries=False)

    assert (await shop.now(task)).status is Status.IN_REVIEW
    assert await summaries(shop, task) == [None]
    assert ASKED not in [note.text for note in ran.of(told.Note)]


async def test_a_run_says_once_that_summaries_are_sent(shop: Workshop) -> None:
    await shop.task("Add one")
    await shop.task("Add two")
    await ask(shop)

    ran = await shop.run(shop.agent(f"{WORK}\nprint({GOOD!r})"))

    assert len(ran.result.tally.completed) == 2
    assert [note.text for note in ran.of(told.Note)].count(ASKED) == 1


async def test_after_red_checks_it_is_what_the_agent_said_last(shop: Workshop) -> None:
    task = await shop.task("Add one")
    shop.checks.append(Check(name="unit", run="test -e good && echo 3 passed in 0.01s"))
    await ask(shop)
    again = "'Checks are red' in prompt"

    await shop.run(
        shop.agent(
            f"pathlib.Path('good' if {again} else 'bad').touch()\n"
            f"print('Nothing of this first try is left now.' if not {again} else {GOOD!r})"
        )
    )

    assert await summaries(shop, task) == [GOOD]


async def test_nothing_of_the_tree_the_checkout_or_what_the_agent_removed_is_sent(shop: Workshop) -> None:
    lines = {
        "tracked.txt": "Customers of the north pay twice",
        "removed.txt": "Customers of the south pay never",
        "ignored.local": "Customers of the west pay late",
    }
    for name, line in lines.items():
        (shop.root / name).write_text(f"# {line}\n")
    (shop.root / ".gitignore").write_text("*.local\n")
    shop.git("add", "--all")
    shop.git("commit", "--quiet", "-m", "Customers of the east pay in time")
    shop.git("push", "--quiet", "origin", "main")
    await shop.look_again()
    task = await shop.task("Add one")
    await ask(shop)
    written = "Customers at sea pay nothing at all"
    said = ". ".join([*lines.values(), "Customers of the east pay in time", written, GOOD])

    await shop.run(
        shop.agent(
            "pathlib.Path('removed.txt').unlink()\n"
            f"pathlib.Path('new.txt').write_text('x' + {written!r})\n"
            f"print({said!r})"
        )
    )

    assert await summaries(shop, task) == [GOOD]


async def test_work_counts_also_when_summaries_were_switched_off_meanwhile(shop: Workshop) -> None:
    task = await shop.task("Add one")
    await ask(shop)
    go = shop.place / "go"
    agent = shop.agent(f"{WORK}\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint({GOOD!r})")
    running = asyncio.create_task(shop.run(agent))

    async def works() -> bool:
        return any(isinstance(one, told.AgentStarted) for one in shop.said)

    await until(works, limit=30)
    await ask(shop, wanted=False)
    go.touch()
    ran = await running

    assert ran.result.succeeded
    assert (await shop.now(task)).status is Status.IN_REVIEW
    assert await summaries(shop, task) == [None]
