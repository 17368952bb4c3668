"""What a set-up command or a check finds in the sandbox: what it needs, and nothing that lasts but what may."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.processes import with_argument, with_marker
from tests.support.scripted_http import reply, scripted

from locus.local.errors import LocalError
from locus.local.process import Completed, base_environment
from locus.local.sandbox import Ground, Needs, Network, NoSandbox, Policy, Sandbox, opened, probe
from locus.local.sandbox.policy import of
from locus.local.settings import load

MARKER = f"sandbox-commands-{os.getpid()}"  # tests that run beside each other must not end each other's


class Place:
    """A tree, and a home beside it."""

    def __init__(self, root: Path) -> None:
        self.home, self.ground = root / "home", Ground(tree=root / "slot" / "tree", private=root / "slot" / "sandbox")
        self.home.mkdir()
        self.ground.tree.mkdir(parents=True)
        self.environ: dict[str, str] = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}

    @asynccontextmanager
    async def sandbox(self, policy: Policy | None = None, told: list[str] | None = None) -> AsyncIterator[Sandbox]:
        tell = (told if told is not None else []).append
        async with opened(policy or Policy(), self.ground, Needs(), self.environ, tell=tell) as made:
            yield made

    async def run(self, script: str, policy: Policy | None = None, env: Mapping[str, str] | None = None) -> Completed:
        async with self.sandbox(policy) as sandbox:
            return await sandbox.run(
                ["/bin/sh", "-c", script],
                cwd=self.ground.tree,
                env=env or base_environment(self.environ),
                timeout=60,
                marker=MARKER,
            )

    async def says(self, script: str, policy: Policy | None = None, env: Mapping[str, str] | None = None) -> str:
        done = await self.run(script, policy, env)
        assert done.ok, done
        return done.stdout.decode().strip()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_command_works_in_the_tree_with_the_programs_of_the_machine(place: Place) -> None:
    said = await place.says(f"pwd; git --version; {sys.executable} -c 'print(6 * 7)'; echo 1 > made; id -u")

    assert said.splitlines()[0] == str(place.ground.tree)
    assert "git version" in said and "42" in said
    assert said.splitlines()[-1] == str(os.getuid())
    assert (place.ground.tree / "made").read_text() == "1\n"


async def test_its_exit_code_and_its_output_are_the_commands_own(place: Place) -> None:
    done = await place.run("echo out; echo err >&2; exit 7")

    assert (done.exit.code, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


async def test_one_that_takes_too_long_is_ended_with_all_it_started(place: Place) -> None:
    async with place.sandbox() as sandbox:
        done = await sandbox.run(
            ["/bin/sh", "-c", "setsid sleep 601.25 & sleep 601.25"],
            cwd=place.ground.tree,
            env=place.environ,
            timeout=1,
            marker=MARKER,
        )

    assert done.timed_out
    assert with_marker(MARKER) == []
    assert with_argument("601.25") == []


async def test_what_is_downloaded_lasts_and_the_rest_of_home_does_not(place: Place) -> None:
    await place.says("mkdir -p ~/.cache/pip && echo kept > ~/.cache/pip/x; echo kept > ~/.npm/x; echo lost > ~/.bashrc")

    assert await place.says("cat ~/.cache/pip/x ~/.npm/x; cat ~/.bashrc 2> /dev/null; echo over") == "kept\nkept\nover"
    assert list(place.home.iterdir()) == []


async def test_temporary_files_are_a_commands_own(place: Place) -> None:
    said = await place.says('echo x > /tmp/mine; echo x > "$TMPDIR/also"; ls /tmp /var/tmp')

    assert "mine" in said and "also" in said
    assert await place.says("cat /tmp/mine /tmp/also 2> /dev/null || echo gone") == "gone"
    assert not Path("/tmp/mine").exists()


async def test_folders_on_the_way_to_the_tree_hold_nothing_else_and_take_nothing(place: Place) -> None:
    (place.ground.tree.parent / "secret").write_text("secret")

    said = await place.says(f"ls {place.ground.tree.parent}; touch /planted || touch /usr/planted || echo refused")

    assert said.splitlines() == ["sandbox", "tree", "refused"]


async def test_a_cache_that_became_a_link_leads_nowhere_else(place: Place) -> None:
    elsewhere = place.home.parent / "elsewhere"
    elsewhere.mkdir()
    kept = place.ground.private / "caches"

    await place.says(f"rm -rf {kept}/cache {kept}/npm; ln -s {elsewhere} {kept}/cache; ln -s /nowhere/x {kept}/npm")
    await place.run("echo planted > ~/.cache/x; mkdir -p ~/.npm; echo planted > ~/.npm/x")

    assert list(elsewhere.iterdir()) == []
    assert not Path("/nowhere").exists()


async def test_toolchains_of_home_can_be_used_and_not_changed(place: Place) -> None:
    tool = place.home / ".local" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho it works\n")
    tool.chmod(0o755)
    place.environ["PATH"] += f":{tool.parent}"

    assert await place.says("tool; echo bad > ~/.local/bin/tool || echo refused") == "it works\nrefused"
    assert "it works" in tool.read_text()


async def test_a_virtual_environment_on_path_shows_with_its_libraries_and_nothing_around_it(place: Place) -> None:
    root = place.home / "project"
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "lib").mkdir()
    (root / ".venv" / "lib" / "module").write_text("library")
    (root / ".env").write_text("secret")
    place.environ["PATH"] = f"{root}/.venv/bin:{place.environ['PATH']}"

    said = await place.says(f"cat {root}/.venv/lib/module; echo; ls -A {root}")

    assert said.splitlines() == ["library", ".venv"]


async def test_a_folder_of_programs_beside_secrets_shows_alone(place: Place) -> None:
    (place.home / "bin").mkdir()
    (place.home / "lib").mkdir()
    (place.home / ".netrc").write_text("secret")
    place.environ["PATH"] += f":{place.home}/bin"

    assert "netrc" not in await place.says("ls -A ~")


async def test_what_the_user_names_shows_and_secrets_in_it_do_not(place: Place) -> None:
    (place.home / "data").mkdir()
    (place.home / "data" / "set.csv").write_text("1,2")
    (place.home / ".ssh").mkdir()
    (place.home / ".ssh" / "id").write_text("secret")
    (place.home / ".netrc").write_text("secret")

    said = await place.says("cat ~/data/set.csv; cat ~/.ssh/id ~/.netrc; :", Policy(read=(place.home,)))
    named = await place.says("cat ~/.ssh/id", Policy(read=(place.home, place.home / ".ssh" / "id")))

    assert said == "1,2"
    assert named == "secret"


async def test_what_the_user_lets_be_written_is_written_and_what_only_shows_is_not(place: Place) -> None:
    for name in ("in", "out"):
        (place.home / name).mkdir()

    policy = Policy(read=(place.home / "in",), write=(place.home / "out",))
    await place.says("echo 1 > ~/out/x; echo 1 > ~/in/x || :", policy)

    assert (place.home / "out" / "x").exists()
    assert not (place.home / "in" / "x").exists()


async def test_what_is_hidden_does_not_show_in_what_the_user_names(place: Place) -> None:
    checkout = place.home / "code" / "shop"
    checkout.mkdir(parents=True)
    (checkout / ".env").write_text("secret")
    (place.home / "code" / "other.txt").write_text("other")
    place.ground = replace(place.ground, hidden=(checkout,))

    said = await place.says("cat ~/code/other.txt; ls -A ~/code/shop", Policy(read=(place.home / "code",)))

    assert said == "other"


@pytest.mark.parametrize("path", ["~", "/", "~/.local/state", "~/.config/locus", "~/.local"])
def test_nobody_may_have_an_agent_change_what_locus_trusts(place: Place, path: str) -> None:
    environ = {
        **place.environ,
        "LOCUS_CONFIG_DIR": str(place.home / ".config/locus"),
        "LOCUS_STATE_DIR": str(place.home / ".local/state/locus"),
        "LOCUS_SANDBOX_WRITE": f"'{path}'",
    }

    with pytest.raises(LocalError, match="what Locus and your shell trust"):
        of(load(environ=environ), environ)


def test_the_policy_is_what_the_settings_say(place: Place) -> None:
    variables = {
        "LOCUS_NETWORK": "provider",
        "LOCUS_NETWORK_HOSTS": "a.example b.example:1",
        "LOCUS_SANDBOX_READ": "~/x",
    }
    environ = {**place.environ, **variables, "LOCUS_CONFIG_DIR": "/nonexistent"}

    assert of(load(environ=environ), environ) == Policy(
        network=Network.PROVIDER, hosts=("a.example", "b.example:1"), read=(place.home / "x",)
    )
    assert of(load(environ=environ, flags={"sandbox": "off"}), environ) is None


async def test_variables_that_name_places_outside_do_not_pass(place: Place) -> None:
    given = {"XDG_RUNTIME_DIR": "/run/user/1", "XDG_CACHE_HOME": "/x", "PIP_CACHE_DIR": "/x", "LANG": "C.UTF-8"}
    env = {**base_environment(place.environ), **given}

    said = (await place.says("env", env=env)).splitlines()

    assert "LANG=C.UTF-8" in said and "TMPDIR=/tmp" in said
    assert not any(line.startswith(("XDG_", "PIP_")) for line in said)


async def test_nothing_is_inherited_but_what_was_given(place: Place) -> None:
    secret = os.open(place.home.parent, os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        said = await place.says("ls -l /proc/self/fd /proc/1/fd; tr '\\0' ' ' < /proc/1/cmdline")
    finally:
        os.close(secret)

    assert str(place.home.parent) not in said.replace(str(place.ground.tree), "")


async def test_with_the_providers_network_the_users_hosts_are_reached_and_no_other(place: Place) -> None:
    told: list[str] = []
    async with scripted(reply(200, b"allowed")) as mine, scripted(reply(200, b"secret")) as other:
        policy = Policy(network=Network.PROVIDER, hosts=(mine.url.removeprefix("http://"),))
        fetch = "import urllib.request as u, sys; print(u.urlopen(sys.argv[1], timeout=20).read())"
        async with place.sandbox(policy, told) as sandbox:
            done = [
                await sandbox.run(
                    [sys.executable, "-c", fetch, server.url],
                    cwd=place.ground.tree,
                    env=base_environment(place.environ | {"no_proxy": "*"}),
                    timeout=60,
                    marker=MARKER,
                )
                for server in (mine, other)
            ]

    assert b"allowed" in done[0].stdout
    assert done[1].exit.code == 1 and b"403" in done[1].stderr
    assert len(told) == 1 and other.url.removeprefix("http://") in told[0]
    assert other.received == []


async def test_the_providers_network_cannot_be_kept_behind_another_proxy(place: Place) -> None:
    place.environ["HTTPS_PROXY"] = "http://proxy.example:3128"

    with pytest.raises(LocalError, match="HTTPS_PROXY names another proxy"):
        await place.run("true", Policy(network=Network.PROVIDER))


async def test_walls_that_cannot_be_put_up_are_no_failed_command(place: Place) -> None:
    place.ground.tree.rmdir()

    with pytest.raises(NoSandbox, match="Can't find source path"):
        await place.run("true")


async def test_a_program_that_is_not_there_fails_in_the_sandbox_as_it_would_outside(place: Place) -> None:
    assert (await place.run("no-such-program")).exit.code == 127


async def test_without_bubblewrap_there_is_no_sandbox_and_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSandbox) as raised:
        await probe({"PATH": str(tmp_path)})

    assert "not installed" in raised.value.message
    assert raised.value.remedy is not None
    assert "bubblewrap" in raised.value.remedy and "--no-sandbox" in raised.value.remedy


async def test_a_bubblewrap_that_may_not_make_namespaces_is_no_sandbox(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(NoSandbox, match="setting up uid map: Permission denied"):
        await probe({"PATH": f"{tmp_path}:/usr/bin:/bin"})


async def test_a_command_in_the_sandbox_begins_soon(place: Place) -> None:
    """The limit is far above what it takes (10 ms on an idle machine), and below what anybody would notice."""
    async with place.sandbox() as sandbox:
        took = []
        for _ in range(10):
            began = time.perf_counter()
            await sandbox.run(["true"], cwd=place.ground.tree, env=place.environ, timeout=20, marker=MARKER)
            took.append(time.perf_counter() - began)

    assert min(took) < 0.5
