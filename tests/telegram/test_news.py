"""News of a real server: told, held back while muted, in a digest, or not at all."""

from tests.support.telegram_bot import Rig

from locus.telegram.grammar import Notice
from locus.telegram.watch import blocked_kind
from locus.wire.tasks import BlockedReason


async def test_news_are_held_back_while_muted_and_then_told_in_one_message(bot: Rig) -> None:
    bot.agent("cat > /dev/null; echo $$ > one.txt")
    await bot.phone.ask("/mute 1h")
    await bot.task("Write one")
    bot.phone.send("/run")
    await bot.phone.sees("✓ Sprint 1: First · job 1")
    assert not [m for m in bot.phone.mine if "can be reviewed" in m.text]
    await bot.phone.ask("/mute off")
    told = await bot.phone.sees("Meanwhile", "can be reviewed", limit=60)

    assert "2 news" in told.text
    assert "The sprint has nothing left" in told.text


async def test_a_blocked_task_is_told_with_a_way_on_and_a_kind_that_is_off_is_not(bot: Rig) -> None:
    bot.agent("cat > /dev/null; exit 3")
    await bot.phone.ask("/notify finished off")
    task = await bot.task("Write one")
    bot.phone.send("/run")
    told = await bot.phone.sees("WEB-1", "is given up")
    await bot.phone.sees("✗ Sprint 1: First · job 1")
    bot.phone.press(told, "↺ Retry")
    await bot.phone.sees("WEB-1 can be taken again")

    assert (await bot.plane.tasks.get(task.id)).status == "BACKLOG"
    assert not [m for m in bot.phone.mine if "Stopped after" in m.text and not m.edits]


def test_every_reason_of_a_block_is_a_kind_of_news() -> None:
    kinds = {reason: blocked_kind(reason) for reason in BlockedReason}

    assert kinds[BlockedReason.POLICY] is Notice.HELD
    assert kinds[BlockedReason.ATTEMPTS_EXHAUSTED] is kinds[BlockedReason.CHECKS_FAILED] is Notice.EXHAUSTED
    assert kinds[BlockedReason.CONFLICT] is Notice.BLOCKED
