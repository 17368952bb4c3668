"""`locus revert`: one task is undone by a commit on top, after its checks; the branch is never rewritten."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, workshop

from locus.wire.tasks import CommentKind, Status, StatusChange

CHECKS = '[checks.unit]\nrun = "sh check.sh"\n'
FILES = {
    "list.txt": "one\n\n\n\n\ntwo\n\n\n\n\nthree\n",
    "check.sh": "test ! -e needs-a || test -e a.txt\n",
    ".locus/config.toml": CHECKS,
}
# What the agent does for a task is its description.
DO = "exec(prompt.split('<<<do ')[1].split(' done>>>')[0])"


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(server, tmp_path / "shop", FILES) as made:
        yield made


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    return await signed_in(server, tmp_path)


async def done(shop: Workshop, *programs: str) -> None:
    """A task for each program, all of them in review."""
    for number, program in enumerate(programs, 1):
        await shop.task(f"Do {number}", description=f"<<<do {program} done>>>")
    assert (await shop.run(shop.agent(DO))).result.succeeded


def write(path: str, text: str) -> str:
    return f"pathlib.Path({path!r}).write_text({text!r})"


def in_list(old: str, new: str) -> str:
    return f"p = pathlib.Path('list.txt'); p.write_text(p.read_text().replace({old!r}, {new!r}))"


def head(shop: Workshop) -> str:
    return shop.git("rev-parse", "locus/sprint-1", cwd=shop.remote)


async def test_a_task_is_undone_on_top_and_sent_back_with_the_later_ones_named(shop: Workshop, ada: SignedIn) -> None:
    await done(shop, f"{in_list('one', 'ONE')}; {write('a.txt', 'a')}", in_list("three", "THREE"), write("b.txt", "b"))
    before, fingerprint = head(shop), shop.fingerprint()

    said = await ada.did("revert", "web-1", "-m", "It shouts.", cwd=shop.root)

    assert "Later changes touched the same files" in said
    assert "WEB-2" in said
    assert "WEB-3" not in said
    assert "✓ unit: green" in said
    assert shop.git("rev-parse", "locus/sprint-1^", cwd=shop.remote) == before
    assert shop.git("show", "locus/sprint-1:list.txt", cwd=shop.remote).split() == ["one", "two", "THREE"]
    assert shop.git("ls-tree", "--name-only", "locus/sprint-1", cwd=shop.remote).split() == [
        ".locus",
        "b.txt",
        "check.sh",
        "list.txt",
    ]
    message = shop.git("log", "-1", "--format=%B", "locus/sprint-1", cwd=shop.remote)
    assert message.startswith('Revert "WEB-1: Do 1"\n\nIt shouts.\n\nReverts-task: WEB-1\nReverts: ')
    task = await shop.plane.tasks.get("WEB-1")
    assert (task.status, task.attempts) == (Status.BACKLOG, 0)
    [comment] = [comment async for comment in shop.plane.tasks.comments(task.id)]
    assert comment.kind is CommentKind.REJECTION
    assert "It shouts." in comment.text
    assert head(shop)[:7] in comment.text
    assert shop.fingerprint() == fingerprint

    again = await ada.locus("revert", "WEB-1", cwd=shop.root)
    assert again.code == 1
    assert f"WEB-1 was undone already, by {head(shop)[:7]}" in again.err


async def test_all_commits_of_a_task_are_undone_and_a_task_done_again_can_be_undone_again(
    shop: Workshop, ada: SignedIn
) -> None:
    await done(shop, f"open('a.txt', 'a').write('x'); {in_list('one', 'ONE')}")
    await shop.plane.tasks.set_status("WEB-1", StatusChange(status=Status.BACKLOG, feedback="More."))
    await shop.run(shop.agent(DO))
    assert len(shop.on_remote()) == 2

    first = await ada.told("revert", "WEB-1", "-C", str(shop.root))
    await shop.run(shop.agent(DO))
    second = await ada.told("revert", "WEB-1", "-C", str(shop.root))

    assert (len(first["undone"]), len(second["undone"])) == (2, 1)
    assert shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote) == ""


async def test_a_dry_run_tells_everything_and_changes_nothing(shop: Workshop, ada: SignedIn) -> None:
    await done(shop, write("a.txt", "a"))
    before = head(shop)

    told = await ada.told("revert", "WEB-1", "--dry-run", "-C", str(shop.root))

    assert (told["commit"], told["files"], told["checks"]) == (
        None,
        1,
        [{"check": "unit", "passed": True, "why": "green"}],
    )
    assert head(shop) == before
    assert (await shop.plane.tasks.get("WEB-1")).status is Status.IN_REVIEW


async def test_a_revert_that_makes_checks_red_is_not_pushed_unless_somebody_insists(
    shop: Workshop, ada: SignedIn
) -> None:
    await done(shop, write("a.txt", "a"), write("needs-a", ""))
    before = head(shop)

    said = await ada.locus("revert", "WEB-1", cwd=shop.root)

    assert said.code == 1
    assert "unit red without WEB-1, so nothing was pushed" in said.out
    assert head(shop) == before
    assert (await shop.plane.tasks.get("WEB-1")).status is Status.IN_REVIEW

    assert "Push it all the same" in said.out
    await ada.did("revert", "WEB-1", "--although-red", cwd=shop.root)
    assert shop.git("rev-parse", "locus/sprint-1^", cwd=shop.remote) == before


async def test_a_revert_that_conflicts_names_the_files_and_the_task_that_stands_on_it_and_changes_nothing(
    shop: Workshop, ada: SignedIn
) -> None:
    await done(shop, in_list("one", "ONE"), in_list("ONE", "EINS"))
    before = head(shop)

    said = await ada.locus("revert", "WEB-1", cwd=shop.root)

    assert said.code == 1
    assert "Undoing WEB-1 conflicts in list.txt. Later changes stand on it: WEB-2. Nothing was changed." in said.err
    assert "locus revert WEB-2" in said.err
    assert head(shop) == before
    assert (await shop.plane.tasks.get("WEB-1")).status is Status.IN_REVIEW


async def test_a_task_without_a_change_on_the_branch_cannot_be_undone(shop: Workshop, ada: SignedIn) -> None:
    await done(shop, write("a.txt", "a"))
    await shop.task("Not begun")

    said = await ada.locus("revert", "WEB-2", cwd=shop.root)

    assert said.code == 1
    assert "locus/sprint-1 has no change of WEB-2 on top of main." in said.err


async def test_a_revert_whose_task_was_not_sent_back_is_finished_by_the_next_one(shop: Workshop, ada: SignedIn) -> None:
    await done(shop, write("a.txt", "a"))
    other = shop.place / "other"
    shop.git("clone", "--quiet", "--branch", "locus/sprint-1", str(shop.remote), str(other), cwd=shop.place)
    shop.git("revert", "--no-edit", "HEAD", cwd=other)
    shop.git("commit", "--quiet", "--amend", "-m", f"Undo\n\nReverts-task: WEB-1\nReverts: {head(shop)}", cwd=other)
    shop.git("push", "--quiet", cwd=other)

    await ada.did("revert", "WEB-1", cwd=shop.root)

    assert (await shop.plane.tasks.get("WEB-1")).status is Status.BACKLOG
