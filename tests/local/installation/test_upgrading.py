"""Upgrading with the real pip and uv, in environments of the test, from an index on loopback."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.local.installation.conftest import NEWER, Index

from locus.version import VERSION

TOOLS = Path(__file__).parents[3] / ".tools"


@dataclass(frozen=True)
class Machine:
    """A home in which nothing of this machine's installers is seen."""

    place: Path
    index: Index

    @property
    def variables(self) -> dict[str, str]:
        uv = next(iter(sorted(TOOLS.glob("uv-*/bin"), reverse=True)), None)
        if uv is None:
            if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
                pytest.fail(f"uv is not in {TOOLS}: make setup")
            pytest.skip("uv is not installed: make setup")
        simple = f"{self.index.url}/simple"
        return {
            "HOME": str(self.place),
            "PATH": f"{uv}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": simple,
            "PIP_NO_CACHE_DIR": "1",
            "UV_CACHE_DIR": str(self.place / "cache"),
            "UV_TOOL_DIR": str(self.place / "tools"),
            "UV_TOOL_BIN_DIR": str(self.place / "bin"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
        }

    def did(self, *argv: str, cwd: Path | None = None, code: int = 0) -> str:
        done = subprocess.run(
            argv,
            cwd=cwd or self.place,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, (argv, done)
        return done.stdout if code == 0 else done.stderr

    def lend(self, environment: Path) -> str:
        """Let an environment see our dependencies, which the index does not have; its `locus`."""
        packages = next(environment.glob("lib/python*/site-packages"))
        (packages / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        return str(environment / "bin" / "locus")


@pytest.fixture
def machine(tmp_path: Path, index: Index) -> Machine:
    settings = tmp_path / "home" / ".config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'index-url = "{index.url}/simple"\n')
    return Machine(tmp_path / "home", index)


def environment_of_pip(machine: Machine) -> str:
    place = machine.place / "env"
    machine.did(sys.executable, "-m", "venv", str(place))
    machine.did(str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "locusai")
    return machine.lend(place)


def environment_of_uv(machine: Machine) -> str:
    place = machine.place / "env"
    machine.did("uv", "venv", "-q", "--python", sys.executable, str(place))
    machine.did("uv", "pip", "install", "-q", "--python", str(place / "bin" / "python"), "locusai")
    return machine.lend(place)


def tool_of_uv(machine: Machine) -> str:
    machine.did("uv", "tool", "install", "-q", "--python", sys.executable, "locusai")
    return machine.lend(machine.place / "tools" / "locusai")


@pytest.mark.parametrize("install", [environment_of_pip, environment_of_uv, tool_of_uv])
def test_the_installer_that_was_used_brings_the_next_version_and_it_says_what_changed(
    machine: Machine, install: object
) -> None:
    assert callable(install)
    locus = install(machine)
    trap = machine.place / "repository"  # a folder that would have another index asked, and other modules run
    trap.mkdir()
    (trap / "uv.toml").write_text('index-url = "http://127.0.0.1:1/simple"\n')
    for name in ("pip", "locus"):
        (trap / f"{name}.py").write_text("raise SystemExit('run from the folder')\n")

    before = machine.did(locus, "upgrade", cwd=trap)
    machine.index.publish(NEWER)
    checked = json.loads(machine.did(locus, "upgrade", "--check", "--json", cwd=trap))
    still = machine.did(locus, "--version", cwd=trap)
    upgraded = machine.did(locus, "upgrade", cwd=trap)
    after = machine.did(locus, "--version", cwd=trap)

    assert f"Locus {VERSION} is the newest" in before
    assert (checked["installed"], checked["newest"]) == (VERSION, NEWER)
    assert VERSION in still
    assert f"Locus {VERSION} is {NEWER} now." in upgraded
    assert "- It is faster." in upgraded
    assert "- It is there." not in upgraded
    assert NEWER in after


def test_a_version_that_cannot_be_brought_leaves_what_is_there(machine: Machine) -> None:
    locus = environment_of_uv(machine)
    machine.index.publish(NEWER)
    (machine.index.folder / "files" / f"locusai-{NEWER}-py3-none-any.whl").unlink()

    said = machine.did(locus, "upgrade", code=1)

    assert "failed" in said
    assert "still there" in said
    assert VERSION in machine.did(locus, "--version")
