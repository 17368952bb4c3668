"""`locus evidence`: what was measured is shown, and what is kept of it is compared."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, one_of, workshop

from locus.local.evidence.kept import Standing, folder, look
from locus.local.project import Check
from locus.wire.work import Evidence


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(server, tmp_path / "shop") as made:
        yield made


@pytest.fixture
async def ada(server: RunningServer, shop: Workshop, tmp_path: Path) -> SignedIn:
    """Somebody whose state directory is the worker's."""
    ada = await signed_in(server, tmp_path)
    (tmp_path / "xdg").mkdir()
    (tmp_path / "xdg" / "locus").symlink_to(shop.state)
    ada.person.variables["XDG_STATE_HOME"] = str(tmp_path / "xdg")
    return ada


async def worked(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks += [Check("unit", "echo 3 passed in 0.1s"), Check("lint", "echo clean")]
    await shop.run(shop.agent("pathlib.Path('one.txt').write_text('done')"))


async def test_every_check_is_shown_with_its_tests_hash_commit_and_that_its_output_is_whole(
    shop: Workshop, ada: SignedIn
) -> None:
    await worked(shop)

    told = await ada.told("evidence", "WEB-1")
    said = await ada.did("evidence", "WEB-1")

    attempt = one_of(told["attempts"])
    assert told["sound"] is True
    assert attempt["commit"] == shop.git("rev-parse", "locus/sprint-1", cwd=shop.remote)
    assert [(one["evidence"]["check"], one["evidence"]["tests"], one["output"]) for one in attempt["checks"]] == [
        ("unit", 3, "verified"),
        ("lint", None, "verified"),
    ]
    assert attempt["commit"] in said
    assert "✓ green" in said
    assert "verified" in said


async def test_output_that_was_changed_since_is_told_and_ends_with_one(shop: Workshop, ada: SignedIn) -> None:
    await worked(shop)
    log = one_of(list((shop.state / "attempts").rglob("check-unit-0.log")))
    log.write_text("300 passed in 0.1s\n")

    said = await ada.locus("evidence", "WEB-1")

    assert said.code == 1
    assert "does not match" in said.out


async def test_output_of_another_machine_is_no_fault(shop: Workshop, ada: SignedIn) -> None:
    await worked(shop)
    for log in (shop.state / "attempts").rglob("check-*.log"):
        log.unlink()

    told = await ada.told("evidence", "WEB-1")

    assert told["sound"] is True
    assert [one["output"] for one in one_of(told["attempts"])["checks"]] == ["not_here", "not_here"]


async def test_a_failed_attempt_is_shown_with_its_red_checks_and_those_that_were_not_run(
    shop: Workshop, ada: SignedIn
) -> None:
    await shop.task("Break it")
    shop.checks += [Check("build", "echo no; false"), Check("unit", "true", needs=("build",))]
    await shop.run(shop.agent("pathlib.Path('one.txt').write_text('done')"), check_rounds=0, max_tasks=1)

    told = await ada.told("evidence", "WEB-1")

    attempt = one_of(told["attempts"])
    assert (attempt["outcome"], attempt["reason"]) == ("failed", "checks_failed")
    assert [(one["evidence"]["passed"], one["output"]) for one in attempt["checks"]] == [
        (False, "verified"),
        (False, "no_output"),
    ]


async def test_the_words_of_an_agent_are_shown_as_unverified(shop: Workshop, ada: SignedIn) -> None:
    words = "Invoices now round each rate once, at the end."
    await shop.server.pool.execute("UPDATE workspaces SET summaries = true")
    await shop.task("Add one")
    await shop.run(shop.agent(f"pathlib.Path('one.txt').write_text('done')\nprint({words!r})"))

    for said in (await ada.did("evidence", "WEB-1"), await ada.did("tasks", "show", "WEB-1")):
        label, shown = said.index("the agent's words, unverified"), said.index(words)
        assert label < shown
    for told in (await ada.told("evidence", "WEB-1"), await ada.told("tasks", "show", "WEB-1")):
        assert one_of(told["attempts"])["summary"] == words


def test_the_evidence_of_one_check_is_not_looked_for_in_the_output_of_another(tmp_path: Path) -> None:
    workspace_id = uuid4()
    place = folder(tmp_path, workspace_id, "WEB-1", 1)
    place.mkdir(parents=True)
    (place / "check-unit-2-0.log").write_text("of a check called unit-2")
    evidence = Evidence(check="unit", passed=True, exit_code=0, duration_ms=1, output_sha256="0" * 64, commit="a" * 40)

    assert look(tmp_path, workspace_id, "WEB-1", 1, evidence).standing is Standing.NOT_HERE


def test_equal_keys_of_two_workspaces_share_no_folder(tmp_path: Path) -> None:
    ours, theirs = uuid4(), uuid4()
    for workspace_id, text in ((ours, "ours"), (theirs, "theirs")):
        place = folder(tmp_path, workspace_id, "WEB-1", 1)
        place.mkdir(parents=True)
        (place / "check-unit-0.log").write_text(text)
    evidence = Evidence(
        check="unit",
        passed=True,
        exit_code=0,
        duration_ms=1,
        output_sha256=hashlib.sha256(b"ours").hexdigest(),
        commit="a" * 40,
    )

    assert look(tmp_path, ours, "WEB-1", 1, evidence).standing is Standing.VERIFIED
    assert look(tmp_path, theirs, "WEB-1", 1, evidence).standing is Standing.ALTERED
