"""The map of the codebase in a task's prompt: of the tree that the agent works in, and only there."""

from pathlib import Path

from tests.support.server import RunningServer
from tests.support.workshop import Workshop, workshop

from locus.local.codemap.told import Wanted
from locus.local.worker import told

ADDS = "pathlib.Path('refunds.py').write_text('def give_back(money): ...\\n')"
SHOWN = "pathlib.Path(r'{}').joinpath(prompt.split('# Your task: ')[1].split()[0]).write_text(prompt)"


def agent_that_shows(shop: Workshop) -> str:
    return f"{ADDS}\n{SHOWN.format(shop.place)}\npathlib.Path('note.txt').write_text(str(time.time()))"


async def test_a_task_is_told_what_is_near_it_as_its_own_tree_has_it(shop: Workshop) -> None:
    await shop.task("First")
    await shop.task("Give money back to customers")

    ran = await shop.run(shop.agent(agent_that_shows(shop)))

    assert ran.result.succeeded
    assert "give_back" not in (shop.place / "WEB-1").read_text()
    assert "refunds.py  (Python, 1 line)\n     1  def give_back(money): ..." in (shop.place / "WEB-2").read_text()
    assert not (shop.root / "refunds.py").exists(), "the user's checkout never had it"


async def test_without_the_map_a_task_is_told_the_folders_alone(shop: Workshop) -> None:
    await shop.task("First")
    await shop.task("Give money back")

    await shop.run(shop.agent(agent_that_shows(shop)), codemap=Wanted(enabled=False))

    told_of = (shop.place / "WEB-2").read_text()
    assert "give_back" not in told_of
    assert "./  1 md" in told_of
    assert list(shop.state.glob("beside/*/index.sqlite3*")) == []


async def test_a_tree_that_leads_elsewhere_is_not_followed_into_a_prompt(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("def treasure(): ...\n")
    async with workshop(server, tmp_path / "place") as shop:
        (shop.root / "link.py").symlink_to(tmp_path / "outside.py")
        shop.git("add", "link.py")
        shop.git("commit", "-q", "-m", "Link")
        shop.git("push", "-q", "origin", "HEAD:main")
        await shop.look_again()
        await shop.task("Find the treasure")

        await shop.run(shop.agent(agent_that_shows(shop)))

        told_of = (shop.place / "WEB-1").read_text()
        assert "def treasure" not in told_of


async def test_a_task_is_done_without_a_map_when_none_can_be_had(shop: Workshop) -> None:
    await shop.task("First")
    run = shop.worker(shop.agent(agent_that_shows(shop)))
    run.work.folder.index.mkdir(parents=True)
    async with run.work.plane:
        result = await run.run()

    assert result.succeeded
    assert [one.text for one in shop.said if isinstance(one, told.Note) and "has no map" in one.text]


async def test_a_task_has_no_map_when_nobody_can_tell_what_is_to_be_left_out(shop: Workshop) -> None:
    await shop.task("First")
    await shop.task("Give money back to customers")
    planted = (
        "pathlib.Path('.locusignore').unlink(missing_ok=True)\npathlib.Path('.locusignore').symlink_to('/etc/hosts')"
    )

    ran = await shop.run(shop.agent(f"{agent_that_shows(shop)}\n{planted}"))

    assert ran.result.succeeded
    assert "give_back" not in (shop.place / "WEB-2").read_text()
    assert any("WEB-2: This prompt has no map" in note.text for note in ran.of(told.Note))
