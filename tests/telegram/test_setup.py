"""Setting a bot up at the terminal: the token, the code, the list, and taking all of it away."""

import asyncio
import json
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support import person as persons, telegram_bot
from tests.support.person import Person
from tests.support.server import RunningServer
from tests.support.telegram import TOKEN, BotApi
from tests.support.telegram_bot import Rig
from tests.support.telegram_phone import Phone


@pytest.fixture
async def new(tmp_path: Path, server: RunningServer) -> AsyncIterator[Rig]:
    """A machine whose bot has nobody on its list."""
    async with telegram_bot.rig(tmp_path, server, listed=False) as rig:
        yield rig


def account(person: Person) -> Path:
    return person.home / ".config" / "locus" / "telegram.json"


async def typed_code(rig: Rig, phone: Phone, *arguments: str, stdin: str = "") -> str:
    """Run a command that shows a code, let the phone type it, and return what the command said."""
    process = await asyncio.create_subprocess_exec(
        *persons.command(*arguments),
        cwd=rig.root,
        env=rig.person.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(stdin.encode())
    process.stdin.close()
    said = ""
    async with asyncio.timeout(60):
        while not (found := re.search(r"send:\s+([0-9A-Z]{5}-[0-9A-Z]{5})", said)):
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
        phone.send(f"/start {found[1].lower()}")
        said += (await process.stdout.read()).decode()
        assert await process.wait() == 0, said
    return said


async def test_a_bot_is_set_up_by_a_token_and_a_code_that_counts_once(new: Rig) -> None:
    account(new.person).unlink()

    said = await typed_code(
        new, new.phone, "telegram", "setup", "--token-stdin", "--api", new.api.url, stdin=TOKEN + "\n"
    )
    file = account(new.person)
    kept = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one["user"] for one in kept["people"]] == [7]
    assert [one["name"] for one in kept["projects"]] == ["shop"]
    assert TOKEN.partition(":")[2] not in said
    await new.phone.sees("on the list now")
    await new.start()
    eve = Phone(new.api, user=8, name="Eve")
    new.api.users.add(8)
    eve.send("/start ABCDE-FGHJK")
    await new.phone.ask("/jobs")
    assert not eve.mine
    assert "Eve (8)" in await typed_code(new, eve, "telegram", "enrol")
    await eve.sees("on the list now")
    assert (await new.locus("telegram", "expel", "8")).code == 0
    known = len(eve.mine)
    eve.send("/jobs")
    await new.phone.ask("/jobs")

    assert len(eve.mine) == known


async def test_a_wrong_token_or_address_is_refused_and_nothing_is_kept(new: Rig) -> None:
    account(new.person).unlink()

    unknown = await new.locus("telegram", "setup", "--token-stdin", "--api", new.api.url, stdin="1" + TOKEN)
    no_token = await new.locus("telegram", "setup", "--token-stdin", stdin="hello")
    plain = await new.locus("telegram", "setup", "--token-stdin", "--api", "http://example.org", stdin=TOKEN)

    assert (unknown.code, no_token.code, plain.code) == (1, 2, 2)
    assert "BotFather" in unknown.err
    assert TOKEN.partition(":")[2] not in unknown.err + unknown.out
    assert not account(new.person).exists()


async def test_a_code_is_worn_out_by_five_wrong_ones(new: Rig) -> None:
    await new.start()
    process = await asyncio.create_subprocess_exec(
        *persons.command("telegram", "enrol"),
        cwd=new.root,
        env=new.person.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    found = re.search(r"([0-9A-Z]{5}-[0-9A-Z]{5})", line)
    assert found is not None, line
    for guess in range(5):
        new.phone.send(f"22222-2222{guess}")
    new.phone.send(found[1])
    await new.api.until(lambda: not new.api.updates)
    process.terminate()
    await process.wait()

    assert json.loads(account(new.person).read_text())["people"] == []
    assert not new.phone.mine


async def test_one_bot_runs_at_a_time_and_a_second_machine_is_told(new: Rig) -> None:
    await new.start()
    second = await new.locus("telegram", "run")
    status = json.loads((await new.locus("telegram", "status", "--json")).out)
    assert (second.code, status["running"]) == (1, True)
    assert "runs already" in second.err
    new.api.call("getUpdates", {"timeout": "0"})
    code = await asyncio.to_thread(new.bot.wait, 60) if new.bot else None

    assert code == 1
    assert "Another program takes the updates" in new.logs[-1].read_text()


async def test_a_token_that_was_revoked_ends_the_bot_with_what_to_do(new: Rig) -> None:
    await new.start()
    new.api.revoked = True
    new.phone.send("/help")
    assert new.bot is not None
    code = await asyncio.to_thread(new.bot.wait, 60)

    said = new.logs[-1].read_text()
    assert code == 1
    assert "locus telegram setup" in said
    assert TOKEN.partition(":")[2] not in said


async def test_removing_takes_token_queue_and_jobs_away(new: Rig) -> None:
    await new.start()
    assert (await new.locus("telegram", "remove", "--yes")).code == 1
    await new.end()
    assert (await new.locus("telegram", "remove", "--yes")).code == 0

    assert not account(new.person).exists()
    assert not list((new.person.state / "telegram").glob("bot.sqlite3*"))
    assert (await new.locus("telegram", "status")).code == 1


def test_the_stub_refuses_what_telegram_refuses() -> None:
    from tests.support.telegram import Refused

    with BotApi() as api:
        bad = [
            {"chat_id": 7, "text": "<b>x", "parse_mode": "HTML"},
            {"chat_id": 7, "text": "a < b", "parse_mode": "HTML"},
            {"chat_id": 7, "text": "x" * 4097},
            {"chat_id": 7, "text": " "},
            {"chat_id": 9, "text": "x"},
            {
                "chat_id": 7,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "x" * 65}]]},
            },
        ]
        for given in bad:
            with pytest.raises(Refused):
                api.call("sendMessage", given)
        assert api.call("sendMessage", {"chat_id": 7, "text": "<b>a &lt; b</b>", "parse_mode": "HTML"})


async def test_the_token_is_kept_in_the_keyring_where_there_is_one_and_the_file_has_none(new: Rig) -> None:
    account(new.person).unlink()
    new.person.variables["PYTHON_KEYRING_BACKEND"] = "keyrings.alt.file.PlaintextKeyring"
    setup = ("telegram", "setup", "--token-stdin", "--no-enrol", "--api", new.api.url)

    said = await new.locus(*setup, stdin=TOKEN)
    kept = json.loads((await new.locus("telegram", "status", "--json")).out)
    await new.start()
    await new.end()
    assert list(new.person.home.rglob("keyring_pass.cfg"))
    written = account(new.person).read_text()
    new.person.variables["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    gone = await new.locus("telegram", "run")
    new.person.variables["PYTHON_KEYRING_BACKEND"] = "keyrings.alt.file.PlaintextKeyring"
    await new.locus(*setup, "--in-file", stdin=TOKEN)

    assert "the keyring of the system" in said.out
    assert kept["token_in"] == "keyring"
    assert TOKEN.partition(":")[2] not in written
    assert (gone.code, "keyring" in gone.err) == (1, True)
    assert TOKEN.partition(":")[2] in account(new.person).read_text()


async def test_without_a_keyring_the_token_is_kept_in_the_file(new: Rig) -> None:
    account(new.person).unlink()
    new.person.variables["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

    await new.locus("telegram", "setup", "--token-stdin", "--no-enrol", "--api", new.api.url, stdin=TOKEN)
    said = await new.locus("telegram", "status")

    assert str(account(new.person)) in said.out
    assert TOKEN in account(new.person).read_text()
