"""An agent that obeys everybody, and what it cannot do. Each attack is first seen to work without the sandbox."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.local.sandbox.probes import PROBES, ROOT, Probe
from tests.local.sandbox.world import KEYS, World, world

from locus.local.providers.base import Ask, Ending, Finished, Text
from locus.local.providers.command import Command
from locus.local.providers.run import run
from locus.local.sandbox import Ground, Network, Policy, opened


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


async def obey(here: World, code: str, network: Network) -> str:
    """What the agent says that is told to do this, in the sandbox of a worker."""
    provider = Command((sys.executable, "-B", str(here.agent)))
    ground = Ground(
        tree=here.tree,
        private=here.slot / "sandbox",
        hidden=(here.state, here.checkout, here.home / ".config" / "locus"),
    )
    said: list[str] = []
    # The model's own service is on this machine, too, so that addresses near are not refused for being near alone.
    needs = provider.needs(here.environment)
    async with opened(Policy(network=network), ground, needs, here.environment, tell=lambda _: None) as sandbox:
        ask = Ask(prompt=here.prompt(code), cwd=here.tree, run_id=str(uuid4()))
        async for event in run(provider, ask, environment=here.environment, silence=30, wall=60, sandbox=sandbox):
            if isinstance(event, Text):
                said.append(event.text)
            if isinstance(event, Finished):
                assert event.ending is Ending.DONE, event
    assert "obeyed" in said, said
    return "\n".join(said)


def a_key_in_the_ring(here: World) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(KEYS[1], 1, None)  # a session ring of this program's own
    for ring in (-3, -4):
        libc.syscall(KEYS[0], b"user", b"locus-canary", here.canary.encode(), len(here.canary), ring)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
async def test_in_the_sandbox_an_agent_that_obeys_cannot(probe: Probe, here: World, tmp_path: Path) -> None:
    if probe.privileged and not ROOT:
        pytest.skip("nobody but root could do this outside")
    a_key_in_the_ring(here)
    inside = await obey(here, probe.code, probe.network)

    assert not probe.proof(here, inside), inside

    # The control comes second, on what the first try has left: it must have changed nothing that it needs.
    for name in ("link", "folder", "hard", "out", "disk", "m", "x"):
        left = here.tree / name
        left.unlink() if left.is_symlink() or left.is_file() else shutil.rmtree(left, ignore_errors=True)
        left.unlink(missing_ok=True)
    outside = here.as_the_user(probe.control or probe.code)
    if probe.may_fail_outside and not probe.proof(here, outside):
        pytest.skip(f"this machine forbids it to everybody: {outside}")
    assert probe.proof(here, outside), f"the probe shows nothing: {outside}"


def test_outside_no_process_is_read_but_the_one_that_was_planted(here: World) -> None:
    somebody = subprocess.Popen(["sleep", "600"], env={"SECRET": "somebody-elses", "PATH": os.defpath})
    try:
        read = [here.as_the_user(probe.control or probe.code) for probe in PROBES if "environ')" in probe.code]
    finally:
        somebody.kill()
        somebody.wait()

    assert len(read) >= 2
    assert all(here.canary in outside for outside in read)
    assert not any("somebody-elses" in outside for outside in read)


def test_there_are_enough_probes_and_each_has_a_name_of_its_own() -> None:
    assert len(PROBES) >= 80
    assert len({probe.name for probe in PROBES}) == len(PROBES)
