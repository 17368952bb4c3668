"""A run whose agent, set-up commands and checks are kept in the sandbox."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from tests.support import wrappers
from tests.support.processes import is_alive, until
from tests.support.server import RunningServer
from tests.support.workshop import Ran, Workshop, one_of, workshop

from locus.local.project import Check, Project
from locus.local.providers.base import Provider
from locus.local.sandbox import Network, Policy
from locus.local.worker import told
from locus.local.worker.loop import Run
from locus.local.worker.outcome import Completed, Released
from locus.wire.tasks import Status

EDIT = "pathlib.Path(prompt.split('# Your task: ')[1].split()[0] + '.txt').write_text('done\\n')"


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    wrappers.require()
    async with workshop(server, tmp_path / "shop") as made:
        yield made


def sandboxed(shop: Workshop, provider: Provider, policy: Policy | None = None, **options: object) -> Run:
    return Run(replace(shop.workplace(provider, **options), policy=policy or Policy()))


async def go(shop: Workshop, provider: Provider, policy: Policy | None = None, **options: object) -> Ran:
    shop.said.clear()
    run = sandboxed(shop, provider, policy, **options)
    async with run.work.plane:
        result = await run.run()
    return Ran(result, list(shop.said))


@pytest.mark.parametrize("network", Network)
async def test_tasks_become_commits_in_review(shop: Workshop, network: Network) -> None:
    tasks = [await shop.task("Add one"), await shop.task("Add two")]
    shop.checks.append(Check(name="unit", run="ls WEB-*.txt && echo 2 passed in 0.1s"))

    ran = await go(shop, shop.agent(EDIT), Policy(network=network))

    assert ran.result.succeeded
    assert shop.on_remote() == ["WEB-1: Add one", "WEB-2: Add two"]
    assert {(await shop.now(task)).status for task in tasks} == {Status.IN_REVIEW}
    assert one_of(ran.of(told.RunStarted)).network is network


async def test_agent_set_up_and_checks_see_the_tree_and_nothing_of_the_user(shop: Workshop) -> None:
    await shop.task("Add one")
    (shop.place / "home" / ".netrc").write_text("secret")
    look = f"for f in ~/.netrc {shop.root}/README.md {shop.state}/journal.sqlite3 {shop.remote}/HEAD; do test -e $f"
    look += " && echo $f shows >> seen.txt; done; test -d ."
    shop.checks.append(Check(name="unit", run=f"{look}; cat seen.txt; ! test -e seen.txt"))
    project = Project(root=shop.root, checks=tuple(shop.checks), setup=(look,))

    ran = await go(shop, shop.agent(f"subprocess.run({look!r}, shell=True)\n{EDIT}"), project=project)

    assert [one.result.output for one in ran.of(told.CheckFinished) if not one.result.passed] == []
    assert ran.result.succeeded
    # The control: outside of the sandbox the same command sees all of it.
    subprocess.run(look, shell=True, cwd=shop.place, env=shop.environment, check=True)
    assert (shop.place / "seen.txt").read_text().count("shows") == 4


async def test_git_works_in_the_tree_with_objects_that_are_borrowed(shop: Workshop) -> None:
    await shop.task("Add one")
    git = (
        "git = lambda *a: subprocess.run(['git', *a], check=True, capture_output=True, text=True).stdout\n"
        "assert 'Begin' in git('log', '--format=%s')\n"
        "pathlib.Path('README.md').write_text('# Other\\n')\n"
        "assert '# Other' in git('diff')\n"
        "git('add', '-A'); git('commit', '-qm', 'Mine'); git('show', 'HEAD~1:README.md')\n"
    )

    ran = await go(shop, shop.agent(git))

    assert ran.result.succeeded
    assert shop.git("show", "locus/sprint-1:README.md", cwd=shop.remote) == "# Other"


async def test_the_users_checkout_and_our_git_dir_cannot_be_written(shop: Workshop) -> None:
    await shop.task("Add one")
    before = shop.fingerprint()
    attack = (
        f"for place in ({str(shop.root)!r}, {str(shop.state)!r}, '../git/hooks', {str(shop.remote)!r}):\n"
        "    try:\n"
        "        os.makedirs(place, exist_ok=True)\n"
        "        pathlib.Path(place, 'planted').write_text('x')\n"
        "    except OSError: pass\n"
    )

    ran = await go(shop, shop.agent(attack + EDIT))

    assert ran.result.succeeded
    assert shop.fingerprint() == before
    assert list(shop.place.rglob("planted")) == []


async def test_in_place_the_users_git_can_be_read_without_its_tokens_and_not_be_written(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.git("config", "http.extraheader", "Authorization: secret")
    await shop.look_again()
    before = shop.fingerprint()
    code = (
        f"assert os.getcwd() == {str(shop.root)!r}\n"
        "log = subprocess.run(['git', 'log', '--format=%s'], capture_output=True, text=True)\n"
        "assert 'Begin' in log.stdout, log\n"
        "assert 'secret' not in pathlib.Path('.git/config').read_text()\n"
        "for name in ('config', 'hooks/post-checkout', 'HEAD'):\n"
        "    try: pathlib.Path('.git', name).write_text('planted')\n"
        "    except OSError: continue\n"
        "    sys.exit(9)\n"
    )

    ran = await go(shop, shop.agent(code + EDIT), in_place=True)

    assert ran.result.succeeded, [one.outcome for one in ran.of(told.TaskEnded)]
    assert shop.on_remote() == ["WEB-1: Add one"]
    assert shop.git("config", "http.extraheader") == "Authorization: secret"
    assert {name: shop.fingerprint()[name] for name in before if "hooks" in name} == {
        name: digest for name, digest in before.items() if "hooks" in name
    }


async def test_a_check_that_is_red_goes_back_to_the_agent(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks.append(Check(name="unit", run="cat one.txt; grep -q right one.txt"))

    ran = await go(
        shop,
        shop.agent("pathlib.Path('one.txt').write_text('right' if 'a wrong answer' in prompt else 'a wrong answer')"),
    )

    assert [one.names for one in ran.of(told.ChecksRed)] == [("unit",)]
    assert ran.result.succeeded


async def test_what_set_up_downloads_is_there_for_the_next_task(shop: Workshop) -> None:
    await shop.task("Add one")
    await shop.task("Add two")
    project = Project(root=shop.root, setup=("mkdir -p ~/.cache/tool; echo x >> ~/.cache/tool/downloads",))
    look = "pathlib.Path('seen.txt').write_text(pathlib.Path('~/.cache/tool/downloads').expanduser().read_text())\n"

    ran = await go(shop, shop.agent(look + EDIT), project=project)

    assert ran.result.succeeded
    assert shop.git("show", "locus/sprint-1:seen.txt", cwd=shop.remote) == "x\nx"
    assert not (shop.place / "home" / ".cache").exists()


async def test_an_interrupted_run_leaves_no_process_and_parks_the_work(shop: Workshop) -> None:
    await shop.task("Hang")
    # Written in the tree, because nothing else can be.
    code = (
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True, env={})\n"
        "pathlib.Path('half.txt').write_text('half')\nprint('working', flush=True)\ntime.sleep(600)"
    )
    run = sandboxed(shop, shop.agent(code))
    going = asyncio.create_task(run.run())
    slot = shop.state / "repositories"
    await until(lambda: any(slot.glob("*/1/tree/*/half.txt")), limit=30)
    around = [child for child in psutil.Process().children() if child.name() == "bwrap"]
    inside = [*around, *one_of(around).children(recursive=True)]
    assert len(inside) == 4, "two of bubblewrap, the agent, its child"
    run.interrupt("Ctrl+C")
    await going
    await run.work.plane.__aexit__(None, None, None)

    ended = one_of([one for one in shop.said if isinstance(one, told.TaskEnded)])
    assert isinstance(ended.outcome, Released)
    assert ended.outcome.parked is not None
    assert not any(is_alive(process.pid) for process in inside)


async def test_who_is_told_of_what_the_network_was_kept_from(shop: Workshop) -> None:
    await shop.task("Add one")
    code = (
        f"import urllib.request\ntry: urllib.request.urlopen({shop.server.url!r}, timeout=10)\nexcept OSError: pass\n"
    )

    ran = await go(shop, shop.agent(code + EDIT), Policy(network=Network.PROVIDER))

    assert ran.result.succeeded
    notes = [note.text for note in ran.of(told.Note)]
    assert [note for note in notes if shop.server.url.removeprefix("http://") in note and "kept" in note]


async def test_a_script_that_the_user_named_shows_and_what_is_beside_it_does_not(shop: Workshop) -> None:
    await shop.task("Add one")
    (shop.place / "secret.txt").write_text("secret")

    look = f"assert [n for n in os.listdir({str(shop.place)!r}) if '.' in n] == ['agent.py']\n"
    ran = await go(shop, shop.agent(look + EDIT))

    assert isinstance(one_of(ran.of(told.TaskEnded)).outcome, Completed)
