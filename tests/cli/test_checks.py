"""`locus checks`: what a workspace requires of every task is listed, added and dropped."""

from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose

CONFIG = '[checks.unit]\nrun = "pytest -q"\n\n[checks.slow]\nrun = "make slow"\nalways = false\n'


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    """Somebody with two checks in their repository."""
    ada = await signed_in(server, tmp_path)
    shop = ada.person.repository("shop")
    (shop / ".locus").mkdir()
    (shop / ".locus" / "config.toml").write_text(CONFIG)
    return ada


async def test_checks_are_required_listed_and_dropped(ada: SignedIn) -> None:
    shop = ada.person.home / "shop"
    before = await ada.did("checks", cwd=shop)
    said = await ada.did("checks", "require", "unit", "slow", cwd=shop)
    listed = await ada.told("checks", "list", "-C", str(shop))
    dropped = await ada.told("checks", "drop", "slow", "-C", str(shop))

    assert "tasks that name it" in before
    assert "required" not in before
    assert said.strip() == "Web requires unit, slow of every task."
    assert [(one["name"], one["required"], one["run"]) for one in listed] == [
        ("unit", True, "pytest -q"),
        ("slow", True, "make slow"),
    ]
    assert dropped["required_checks"] == ["unit"]


async def test_a_check_that_nobody_defines_here_is_required_only_by_force(ada: SignedIn) -> None:
    shop = ada.person.home / "shop"
    refused = await ada.locus("checks", "require", "unti", cwd=shop)
    await ada.did("checks", "require", "unti", "--force", cwd=shop)

    assert refused.code == 2
    assert "It defines: unit, slow." in refused.err
    assert "unti is required and not defined here" in await ada.did("checks", cwd=shop)
    assert (await ada.locus("checks", "drop", "unit", cwd=shop)).err.startswith("The workspace does not require")


async def test_requiring_checks_needs_a_key_that_may_change_the_workspace(server: RunningServer, ada: SignedIn) -> None:
    ada.person.variables["LOCUS_API_KEY"] = await server.key(Purpose.MEMBER, workspace=server.workspace)

    said = await ada.locus("checks", "require", "unit", cwd=ada.person.home / "shop")

    assert said.code == 1
    assert "needs a key for admin" in said.err
