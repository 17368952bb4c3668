"""Telegram brings updates: only with the secret of this start, each taken up once, whatever else comes to the port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from tests.support.telegram_bot import Rig

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Hooked:
    """A bot at work behind a webhook, and Telegram's side of it."""

    rig: Rig
    url: str
    client: httpx.AsyncClient

    @property
    def secret(self) -> str:
        return str(self.rig.api.webhook["secret_token"])

    async def bring(self, text: str, number: int, *, secret: str | None = None) -> int:
        update = {"update_id": number, "message": self.rig.phone.message(text)}
        answer = await self.client.post(self.url, json=update, headers={HEADER: secret or self.secret})
        return answer.status_code


@pytest.fixture
async def hooked(rig: Rig) -> AsyncIterator[Hooked]:
    port = free_port()
    await rig.start("--webhook=https://bot.example.org/hook", f"--listen=127.0.0.1:{port}")
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        yield Hooked(rig, f"http://127.0.0.1:{port}/hook", client)


async def test_an_update_with_the_secret_is_taken_up_once(hooked: Hooked) -> None:
    phone = hooked.rig.phone

    answers = [await hooked.bring("/jobs", 5000), await hooked.bring("/jobs", 5000)]
    both = await asyncio.gather(hooked.bring("/help", 5001), hooked.bring("/help", 5001))
    await hooked.bring("/project", 5002)
    await phone.sees("Which project")

    assert [*answers, *both] == [200, 200, 200, 200]
    assert sum("Nothing was started" in message.text for message in phone.mine) == 1
    assert sum("Judge tasks" in message.text for message in phone.mine) == 1
    assert hooked.rig.api.webhook["max_connections"] == "1"
    assert hooked.secret not in hooked.rig.logs[0].read_text()


async def test_what_does_not_know_the_secret_gets_403_and_does_nothing(hooked: Hooked) -> None:
    refused = [
        await hooked.bring("/jobs", 6000, secret="x"),
        await hooked.bring("/jobs", 6001, secret=hooked.secret[:-1]),
        (await hooked.client.post(hooked.url, json={"update_id": 6002})).status_code,
        (await hooked.client.get(hooked.url)).status_code,
    ]
    known = {HEADER: hooked.secret}
    broken = [
        (await hooked.client.post(hooked.url, content=b"{", headers=known)).status_code,
        (await hooked.client.post(hooked.url, json={"update_id": "1"}, headers=known)).status_code,
        (await hooked.client.post(hooked.url + "x", json={"update_id": 1}, headers=known)).status_code,
        (await hooked.client.get(hooked.url, headers=known)).status_code,
        (await hooked.client.post(hooked.url, content=b" " * (1 << 21), headers=known)).status_code,
    ]
    await hooked.bring("/project", 6003)
    await hooked.rig.phone.sees("Which project")

    assert refused == [403, 403, 403, 403]
    assert broken == [400, 400, 404, 405, 413]
    assert len(hooked.rig.phone.mine) == 1


async def test_a_webhook_is_remembered_until_polling_is_asked_for(hooked: Hooked) -> None:
    rig = hooked.rig
    first = hooked.secret
    await rig.end()
    await rig.start()
    second = hooked.secret
    said = await rig.locus("telegram", "status")
    await rig.end()
    await rig.start("--poll")

    assert first != second
    assert "Telegram brings updates to https://bot.example.org/hook" in said.out
    assert rig.api.webhook == {}
    assert "Nothing was started" in (await rig.phone.ask("/jobs")).text


@pytest.mark.parametrize(
    "arguments",
    [
        ("--webhook=http://bot.example.org/hook", "--listen=127.0.0.1:8443"),
        ("--webhook=https://bot.example.org/hook",),
        ("--webhook=https://bot.example.org/hook", "--listen=8443"),
        ("--webhook=https://bot.example.org/hook", "--listen=127.0.0.1:8443", "--poll"),
    ],
)
async def test_an_address_that_cannot_be_is_refused(rig: Rig, arguments: tuple[str, ...]) -> None:
    said = await rig.locus("telegram", "run", *arguments)

    assert said.code == 2
    assert rig.api.webhook == {}
