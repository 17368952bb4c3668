"""Which installer it was, by what it leaves behind, and what is said where none can be asked."""

import json
import sys
from email.message import Message
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from msgspec.structs import replace

from locus.local.errors import LocalError
from locus.local.installation import changes, upgrading
from locus.local.installation.found import Found, Installer, Place, find

CHANGELOG = "# Changes\n\n## Unreleased: 0.3.0\n\n- c\n\n## 0.2.0\n\n- b\n  more\n\n## 0.1.0 \n\n- a\n"


def installed(place: Path, **files: str) -> PathDistribution:
    info = place / "locusai-0.1.0.dist-info"
    info.mkdir(parents=True)
    metadata = Message()
    metadata["Name"], metadata["Version"] = "locusai", "0.1.0"
    for extra in ("server", "telegram"):
        metadata["Provides-Extra"] = extra
    for requirement in ("pytest>=1; extra == 'server'", "locus-has-no-such-package; extra == 'telegram'"):
        metadata["Requires-Dist"] = requirement
    (info / "METADATA").write_text(metadata.as_string())
    for name, text in files.items():
        (info / name.replace("__", ".")).write_text(text)
    return PathDistribution(info)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A virtual environment."""
    prefix = tmp_path / "env"
    packages = prefix / "lib" / "site-packages"
    packages.mkdir(parents=True)
    return Place(sys.executable, prefix, tmp_path / "base", packages, None, tmp_path / "base")


def test_an_editable_installation_is_a_checkout_and_is_told_what_to_do(place: Place) -> None:
    direct = json.dumps({"url": "file:///home/ada/lo%20cus", "dir_info": {"editable": True}})

    found = find(place, installed(place.packages, direct_url__json=direct, INSTALLER="uv\n"))

    assert (found.installer, found.source) == (Installer.CHECKOUT, "/home/ada/lo cus")
    with pytest.raises(LocalError, match="from its source") as told:
        upgrading.commands(found)
    assert "git -C /home/ada/lo cus pull" in str(told.value.remedy)


def test_what_came_from_a_url_is_not_looked_for_in_an_index(place: Place) -> None:
    direct = json.dumps({"url": "file:///tmp/locusai.whl", "archive_info": {}})

    found = find(place, installed(place.packages, direct_url__json=direct))

    assert found.installer is Installer.URL
    with pytest.raises(LocalError, match="which no index knows"):
        upgrading.commands(found)


def test_uv_and_pipx_are_known_by_what_they_write_beside_a_tool(place: Place) -> None:
    package = installed(place.packages, INSTALLER="uv\n")
    (place.prefix / "pipx_metadata.json").write_text("{}")
    assert find(place, package).installer is Installer.PIPX
    (place.prefix / "uv-receipt.toml").write_text("")
    assert find(place, package).installer is Installer.UV_TOOL


def test_an_environment_is_upgraded_by_who_filled_it_with_the_parts_that_are_there(place: Place) -> None:
    package = installed(place.packages, INSTALLER="pip\n")

    found = find(place, package)

    assert (found.installer, found.wanted) == (Installer.PIP, "locusai[server]")
    assert upgrading.commands(found).upgrade[:4] == (sys.executable, "-P", "-m", "pip")
    assert upgrading.commands(found).upgrade[-1] == "locusai[server]"


def test_a_python_of_the_system_is_left_alone(place: Place) -> None:
    system = replace(place, base_prefix=place.prefix)
    system.stdlib.mkdir()
    (system.stdlib / "EXTERNALLY-MANAGED").write_text("")

    found = find(system, installed(place.packages))

    assert found.installer is Installer.SYSTEM
    with pytest.raises(LocalError, match="never uses sudo"):
        upgrading.commands(found)


@pytest.mark.parametrize("installer", Installer)
def test_no_command_of_any_installer_raises_rights(place: Place, installer: Installer) -> None:
    try:
        argv = [
            *upgrading.commands(Found(installer, place)).check,
            *upgrading.commands(Found(installer, place)).upgrade,
        ]
    except LocalError as e:
        argv = [str(e.remedy)]
    assert not any(word in ("sudo", "su", "doas", "--break-system-packages") for word in argv)


def test_what_changed_are_the_sections_after_the_version_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "CHANGELOG.md"
    file.write_text(CHANGELOG)

    found = changes.since("0.1.0", file=file)

    assert [(one.version, one.lines) for one in found] == [("0.3.0", ["- c"]), ("0.2.0", ["- b", "  more"])]
    assert changes.since("0.3.0", file=file) == []
    assert [one.version for one in changes.since("0.0.9", file=file)] == ["0.3.0"]
    assert changes.since("0.1.0", file=tmp_path / "none") == []
