"""`locus review-hold`: held changes are listed, shown, let through, sent back; and what cannot be is said."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pexpect
import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, one_of, workshop

from locus.wire.tasks import Status

HOSTILE = "\\x1b]0;owned\\x07\\u202eevil"
RULES = (
    "pathlib.Path('.locus').mkdir(exist_ok=True);"
    f"pathlib.Path('.locus/config.toml').write_text('# new rules {HOSTILE}\\n')"
)


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A workshop in which one change is held."""
    async with workshop(server, tmp_path / "shop") as made:
        await made.task("Change the rules")
        await made.run(made.agent(RULES))
        yield made


@pytest.fixture
async def ada(server: RunningServer, shop: Workshop, tmp_path: Path) -> SignedIn:
    """Somebody on the machine of the worker."""
    ada = await signed_in(server, tmp_path)
    (tmp_path / "xdg").mkdir()
    (tmp_path / "xdg" / "locus").symlink_to(shop.state)
    ada.person.variables["XDG_STATE_HOME"] = str(tmp_path / "xdg")
    return ada


def on_remote(shop: Workshop) -> list[str]:
    return shop.on_remote() if "locus/sprint-1" in shop.git("branch", "--list", cwd=shop.remote) else []


async def test_a_held_change_is_listed_shown_harmlessly_and_let_through(shop: Workshop, ada: SignedIn) -> None:
    listed = await ada.did("review-hold", cwd=shop.root)
    assert "WEB-1" in listed
    assert "only a person may change .locus/config.toml" in listed

    shown = await ada.did("review-hold", "web-1", cwd=shop.root)
    assert "held     only a person may change .locus/config.toml" in shown
    assert "+# new rules \\u{202e}evil" in shown
    assert "\x1b" not in shown
    [told] = [word for word in shown.split() if len(word) == 12 and all(c in "0123456789abcdef" for c in word)]

    said = await ada.did("review-hold", "WEB-1", "--approve", "--commit", told, "--yes", cwd=shop.root)

    assert "for a person to review" in said
    assert on_remote(shop) == ["WEB-1: Change the rules"]
    assert "Held-approved-by: Ada <ada@example.org>" in shop.git(
        "log", "-1", "--format=%B", "locus/sprint-1", cwd=shop.remote
    )
    assert (await ada.did("review-hold", cwd=shop.root)).strip() == "Nothing is held."
    assert (await ada.locus("review-hold", "WEB-1", cwd=shop.root)).err.startswith("No change of WEB-1 is held")


async def test_programs_get_one_document_for_each_question(shop: Workshop, ada: SignedIn) -> None:
    place = str(shop.root)
    listed = await ada.told("review-hold", "-C", place)
    shown = await ada.told("review-hold", "WEB-1", "-C", place)
    decided = json.loads((await ada.locus("review-hold", "WEB-1", "--approve", "--yes", "--json", cwd=shop.root)).out)

    assert one_of(listed)["why"] == ["only a person may change .locus/config.toml"]
    assert (shown["fence"], shown["files"], "new rules" in shown["diff"]) == (1, 1, True)
    assert (decided["approved"], decided["delivered"]) == (True, True)
    assert decided["commit"] == shop.git("rev-parse", "locus/sprint-1", cwd=shop.remote)
    assert decided["task"]["status"] == "IN_REVIEW"


async def test_a_person_at_a_terminal_sees_the_change_and_is_asked(shop: Workshop, ada: SignedIn) -> None:
    def ask() -> str:
        child = ada.person.at_terminal("review-hold", "WEB-1", "--approve", cwd=shop.root)
        child.expect("Put this change on the branch of WEB-1's sprint")
        seen = str(child.before)
        child.sendline("n")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 1
        return seen

    assert "+# new rules" in await asyncio.to_thread(ask)
    assert on_remote(shop) == []


async def test_a_rejection_sends_the_task_back_with_the_persons_words(shop: Workshop, ada: SignedIn) -> None:
    await ada.did("review-hold", "WEB-1", "--reject", "Leave the rules alone.", cwd=shop.root)

    task = await shop.plane.tasks.get("WEB-1")
    assert (task.status, task.attempts) == (Status.BACKLOG, 0)
    assert [comment.text async for comment in shop.plane.tasks.comments(task.id)] == ["Leave the rules alone."]


WRONG = (
    (("WEB-1", "--approve"), 2, "Nobody can be asked here."),
    (("WEB-1", "--approve", "--yes", "--commit", "abcdef"), 1, "that is held is"),
    (("WEB-1", "--approve", "--reject", "no"), 2, "say different things"),
    (("WEB-1", "--reject", " "), 2, "The text is empty."),
    (("--approve",), 2, "Name the task"),
    (("WEB-9",), 1, "There is no task WEB-9 here."),
)


async def test_what_cannot_be_decided_is_said_and_changes_nothing(shop: Workshop, ada: SignedIn) -> None:
    for arguments, code, says in WRONG:
        said = await ada.locus("review-hold", *arguments, cwd=shop.root)

        assert said.code == code, said
        assert says in said.err
    assert on_remote(shop) == []
    assert (await shop.plane.tasks.get("WEB-1")).status is Status.BLOCKED


async def test_a_change_that_another_machine_keeps_is_not_decided_here(
    shop: Workshop, ada: SignedIn, tmp_path: Path
) -> None:
    ada.person.variables["XDG_STATE_HOME"] = str(tmp_path / "elsewhere")

    listed = await ada.did("review-hold", cwd=shop.root)
    said = await ada.locus("review-hold", "WEB-1", "--approve", "--yes", cwd=shop.root)

    assert "its change is not on this machine" in listed
    assert said.code == 1
    assert "made it on another machine" in said.err
