"""`locus login` and `logout`: a key is checked, kept and never shown."""

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from tests.support import people, polling
from tests.support.at_server import SignedIn, signed_in
from tests.support.person import Said
from tests.support.server import RunningServer

from locus.server.workspaces import store
from locus.wire.workspaces import MemberRole, Purpose


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    """Somebody who is not signed in yet."""
    ada = await signed_in(server, tmp_path)
    ada.person.variables.clear()
    return ada


async def login(ada: SignedIn, key: str, *arguments: str) -> Said:
    def pipe() -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "locus", "login", "--key-stdin", *arguments],
            env=ada.person.environment(),
            cwd=ada.person.home,
            input=f"{key}\n".encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return await asyncio.to_thread(pipe)


def kept(ada: SignedIn) -> Path:
    return ada.person.home / ".config" / "locus" / "credentials.json"


async def test_a_key_is_kept_in_a_private_file_and_used_from_then_on(ada: SignedIn, server: RunningServer) -> None:
    key = await server.key(Purpose.MEMBER, workspace=server.workspace)

    said = await login(ada, key, "--server", server.url)
    tasks = await ada.locus("tasks")

    assert said.code == 0
    assert "Web" in said.out
    assert key not in said.out + said.err
    assert stat.S_IMODE(kept(ada).stat().st_mode) == 0o600
    assert tasks.code == 0  # the server of the login is the server of later commands


async def test_the_key_is_asked_for_without_showing_it(ada: SignedIn, server: RunningServer) -> None:
    key = await server.key(workspace=server.workspace)

    def ask() -> str:
        child = ada.person.at_terminal("login", "--key", "--server", server.url)
        child.expect("API key for .*: ")
        child.sendline(key)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        return str(child.before)

    said = await asyncio.to_thread(ask)

    assert "Signed in to" in said
    assert key not in said
    assert key in kept(ada).read_text()


async def shown(child: "pexpect.spawn[str]", server: RunningServer) -> str:
    """The code that a machine shows while it waits."""

    def read() -> str:
        child.expect("/device\\?code=([0-9A-Z]{4}-[0-9A-Z]{4})")
        assert child.match is not None
        return str(child.match.group(1))

    return await asyncio.to_thread(read)


def ended(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, str(child.before)


async def test_a_machine_that_a_person_lets_in_gets_a_key_of_theirs(ada: SignedIn, server: RunningServer) -> None:
    somebody = await people.somebody(server, MemberRole.MEMBER)
    child = ada.person.at_terminal("login", "--server", server.url, "--machine", "Ada's laptop")
    code = await shown(child, server)
    async with somebody.client(server) as browser:
        page = await browser.get("/device", params={"code": code})
        form = {"code": code, "decision": "allow", "purpose": "member", "workspace": str(server.workspace.id)}
        await browser.post("/device", data=form)

    status, said = await asyncio.to_thread(ended, child)

    assert (page.status_code, status) == (200, 0), said
    assert code in page.text and "Ada&#39;s laptop" in page.text
    assert "Signed in to" in said
    assert "lcs_" not in said
    assert (await ada.locus("tasks", "add", "From this machine")).code == 0
    await server.pool.execute("DELETE FROM memberships WHERE user_id = $1", somebody.id)
    await polling.until(lambda: refused(ada))


async def refused(ada: SignedIn) -> bool:
    return (await ada.locus("tasks")).code == 3


async def test_a_machine_that_is_refused_gets_nothing(ada: SignedIn, server: RunningServer) -> None:
    somebody = await people.somebody(server)
    child = ada.person.at_terminal("login", "--server", server.url, "--quiet")  # even so
    code = await shown(child, server)
    async with somebody.client(server) as browser:
        await browser.post("/device", data={"code": code, "decision": "deny"})

    status, said = await asyncio.to_thread(ended, child)

    assert status == 1
    assert "refused" in said
    assert not kept(ada).exists()


async def test_a_key_that_the_server_does_not_know_is_not_kept(ada: SignedIn, server: RunningServer) -> None:
    said = await login(ada, "lcs_" + "x" * 36, "--server", server.url)

    assert said.code == 3
    assert "does not accept the key: The key is unknown, was revoked, or has run out." in said.err
    assert not kept(ada).exists()
    assert (await ada.locus("config", "get", "server")).out == "http://127.0.0.1:4700\n"


async def test_a_server_that_is_not_there_leaves_everything_as_it_was(ada: SignedIn) -> None:
    said = await login(ada, "lcs_" + "x" * 36, "--server", "http://127.0.0.1:1")

    assert said.code == 4
    assert not kept(ada).exists()


async def test_a_key_is_never_sent_unencrypted_to_another_machine(ada: SignedIn) -> None:
    said = await login(ada, "lcs_secret", "--server", "http://192.0.2.1:4700")

    assert said.code == 2
    assert "https" in said.err


async def test_an_empty_key_is_wrong_usage(ada: SignedIn, server: RunningServer) -> None:
    assert (await login(ada, "", "--server", server.url)).code == 2


async def test_without_a_terminal_and_without_a_key_it_says_how(ada: SignedIn, server: RunningServer) -> None:
    said = await ada.locus("login", "--server", server.url)

    assert said.code == 2
    assert "--key-stdin" in said.err


async def test_the_json_answer_holds_no_secret(ada: SignedIn, server: RunningServer) -> None:
    key = await server.key(workspace=server.workspace)

    told = json.loads((await login(ada, key, "--server", server.url, "--json")).out)

    assert told["workspace"]["prefix"] == "WEB"
    assert key not in json.dumps(told)


async def test_a_key_for_several_workspaces_asks_for_a_choice_only_where_it_matters(
    ada: SignedIn, server: RunningServer
) -> None:
    other = await store.create(server.pool, server.organization.id, name="Api", prefix="API")
    assert other is not None
    said = await login(ada, await server.key(), "--server", server.url)
    undecided = await ada.locus("tasks")
    chosen = await ada.locus("tasks", "--workspace", "api")
    await ada.did("config", "set", "workspace", "WEB")
    kept_choice = await ada.locus("tasks")

    assert said.code == 0
    assert "locus config set workspace" in said.out
    assert undecided.code == 1
    assert "Api (API)" in undecided.err
    assert (chosen.code, kept_choice.code) == (0, 0)


async def test_logout_forgets_the_key(ada: SignedIn, server: RunningServer) -> None:
    key = await server.key(workspace=server.workspace)
    await login(ada, key, "--server", server.url)

    said = await ada.locus("logout")
    again = await ada.locus("logout")

    assert "Forgot the key" in said.out
    assert "There was no key" in again.out
    assert key not in kept(ada).read_text()
    assert (await ada.locus("tasks")).code == 3
