"""Mail is sent once it is committed, and lost by no restart and no mail server that is away."""

import asyncio
import logging
from pathlib import Path

import pytest
from tests.support import mails
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.server.db.pool import Pool, transaction
from locus.server.mail import outbox, texts
from locus.server.mail.outbox import Mail
from locus.server.settings import Relay, from_environment, relay_of
from locus.wire.workspaces import MemberRole

NOW = "UPDATE mails SET due_at = clock_timestamp()"


async def left(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM mails"))


async def test_a_mail_goes_with_its_transaction_or_not_at_all(pool: Pool) -> None:
    async with mails.taking() as (postbox, relay):
        with pytest.raises(RuntimeError):
            async with transaction(pool) as db:
                await outbox.put(db, Mail("ada@example.org", "Undone", "x"))
                raise RuntimeError
        await outbox.put(pool, Mail("ada@example.org", "Done", "x"))
        await outbox.send_due(pool, relay)

    assert [mail["Subject"] for mail in postbox.mails] == ["Done"]
    assert await left(pool) == 0


async def test_a_mail_server_that_is_away_delays_a_mail(pool: Pool) -> None:
    await outbox.put(pool, Mail("ada@example.org", "Later", "x"))
    await outbox.send_due(pool, Relay(host="127.0.0.1", port=1, sender="locus@example.org"))
    waiting = await left(pool)
    async with mails.taking() as (postbox, relay):
        postbox.answers.append("451 try again")
        await pool.execute(NOW)
        await outbox.send_due(pool, relay)
        again = await outbox.send_due(pool, relay)  # not due yet
        await pool.execute(NOW)
        await outbox.send_due(pool, relay)

    assert (waiting, again) == (1, 0)
    assert [mail["Subject"] for mail in postbox.mails] == ["Later"]
    assert postbox.tried == 2


async def test_two_senders_send_a_mail_once(pool: Pool) -> None:
    for number in range(10):
        await outbox.put(pool, Mail("ada@example.org", str(number), "x"))
    async with mails.taking() as (postbox, relay):
        await asyncio.gather(*(outbox.send_due(pool, relay) for _ in range(5)))

    assert sorted(str(mail["Subject"]) for mail in postbox.mails) == [str(number) for number in range(10)]


async def test_a_mail_that_is_too_old_is_given_up(pool: Pool) -> None:
    await outbox.put(pool, Mail("ada@example.org", "Old", "x", minutes=0))
    async with mails.taking() as (postbox, relay):
        await outbox.send_due(pool, relay)

    assert (postbox.mails, await left(pool)) == ([], 0)


async def test_without_a_mail_server_the_code_is_in_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    owner = "INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.org')"
    await server.pool.execute(owner)
    with caplog.at_level(logging.WARNING, logger="locus.mail"):
        async with server.client() as browser:
            await browser.post("/sign-in", data={"email": "ada@example.org"}, headers={"Origin": server.url})

        async def there() -> bool:
            return "mail to ada@example.org" in caplog.text

        await until(there, limit=30)

    assert mails.CODE.search(caplog.text)


def test_words_that_people_chose_are_no_links_in_a_mail() -> None:
    mail = texts.invitation(
        "ada@example.org",
        "https://locus.example.org/invitations/x",
        role=MemberRole.MEMBER,
        organization="Win at https://evil.example\nSubject: x",
        days=7,
    )

    assert mail.body.count("://") == 1
    assert "\nSubject" not in mail.body
    assert "evil.example" not in mail.body


@pytest.mark.parametrize(
    ("url", "port", "tls", "user"),
    [
        ("smtp://mail.example.org", 587, False, None),
        ("smtps://mail.example.org", 465, True, None),
        ("smtp://ada:p%40ss@mail.example.org:2525", 2525, False, "ada"),
    ],
)
def test_a_mail_server_is_set_by_its_address(url: str, port: int, tls: bool, user: str | None) -> None:
    relay = relay_of(url, "locus@example.org")

    assert (relay.port, relay.tls, relay.user) == (port, tls, user)
    assert "p@ss" not in repr(relay)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"LOCUS_SERVER_SMTP_URL": "http://x", "LOCUS_SERVER_MAIL_FROM": "a@b"}, "LOCUS_SERVER_SMTP_URL"),
        ({"LOCUS_SERVER_SMTP_URL": "smtp://x"}, "LOCUS_SERVER_MAIL_FROM"),
        ({"LOCUS_SERVER_SIGN_UP": "maybe"}, "LOCUS_SERVER_SIGN_UP"),
        ({"LOCUS_SERVER_URL": "http://locus.example.org"}, "LOCUS_SERVER_URL"),
        ({"LOCUS_SERVER_URL": "https://locus.example.org/path"}, "LOCUS_SERVER_URL"),
        ({"LOCUS_SERVER_GITHUB_ID": "x"}, "LOCUS_SERVER_GITHUB_SECRET"),
    ],
)
def test_a_wrong_setting_is_named(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_environment(variables, data=Path("/nonexistent"))
