"""A bot that is killed in the middle of each of its acts, and the one after it: every effect at most once."""

import signal

from tests.support.processes import is_alive, until
from tests.support.telegram_bot import Rig

from locus.wire.tasks import Status


async def test_a_bot_killed_in_an_act_does_not_act_again_and_says_so(bot: Rig) -> None:
    gate = bot.person.place / "gate"
    hook = bot.person.bare() / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\necho x >> {gate}\nsleep 600\n")
    hook.chmod(0o755)
    bot.person.git("commit", "-q", "--allow-empty", "-m", "More", cwd=bot.root)

    bot.phone.press(await bot.phone.ask("/git push"), "Push")
    await until(gate.exists, limit=30)
    await bot.end(signal.SIGKILL)
    await bot.start()
    await bot.phone.sees("The bot was stopped while it did")
    await bot.phone.ask("/jobs")

    assert gate.read_text() == "x\n"


async def test_a_message_whose_receipt_got_lost_is_not_sent_twice(bot: Rig) -> None:
    await bot.phone.ask("/jobs")
    bot.api.held.add("sendMessage")
    bot.phone.send("/help")
    await bot.phone.sees("Judge tasks")
    await bot.end(signal.SIGKILL)
    bot.api.held.clear()
    await bot.start()
    await bot.phone.sees("A message may be missing here")
    bot.api.lose("sendMessage")
    bot.phone.send("/workspace")
    await bot.api.until(lambda: sum("may be missing" in m.text for m in bot.phone.mine) == 2)
    await bot.phone.ask("/status")

    assert sum("Judge tasks" in m.text for m in bot.phone.mine) == 1
    assert sum("Web (WEB)" in m.text for m in bot.phone.mine) == 1


async def test_a_run_does_not_outlive_a_killed_bot_and_is_not_started_again(bot: Rig) -> None:
    bot.agent(f"cat > /dev/null; sleep 600 & echo $$ $! > {bot.person.place}/pids; wait")
    await bot.task("Write one")
    pids = bot.person.place / "pids"

    bot.phone.send("/run")
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2, limit=60)
    await bot.end(signal.SIGKILL)
    await bot.start()
    await bot.phone.sees("Job 1", "ended with the bot")
    await bot.phone.ask("/jobs")

    await until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), limit=30)
    assert len([call for call in bot.api.named("sendMessage") if "ended with the bot" in call.given["text"]]) == 1
    assert "◐" not in (await bot.phone.ask("/jobs")).text


async def test_what_happened_while_no_bot_ran_is_told_once_by_the_next(bot: Rig) -> None:
    task = await bot.task("Write one")
    await bot.phone.ask("/jobs")
    await bot.end()
    assert (await bot.locus("run", "--json")).code == 0
    assert (await bot.plane.tasks.get(task.id)).status is Status.IN_REVIEW

    await bot.start()
    await bot.phone.sees("WEB-1", "can be reviewed")
    await bot.end(signal.SIGKILL)
    await bot.start()
    await bot.phone.ask("/status")

    assert sum("can be reviewed" in m.text for m in bot.phone.mine) == 1


async def test_updates_that_come_again_and_old_ones_do_nothing(bot: Rig) -> None:
    task = await bot.task("Write one")
    number = bot.phone.send("/jobs")
    await bot.phone.sees("Nothing was started")
    bot.api.push("message", bot.phone.message("/startsprint 1"), update_id=number)
    bot.phone.send("/cancel WEB-1", date=1)
    bot.api.push("edited_message", bot.phone.message("/tasks"))
    await bot.phone.ask("/status")
    await bot.end()
    stale = bot.phone.message("/backlog")
    stale["date"] -= 3600
    bot.api.push("message", stale)
    bot.phone.send("/agents")
    await bot.start()
    await bot.phone.sees("No agent is at work")

    assert len(bot.phone.mine) == 3
    assert (await bot.plane.tasks.get(task.id)).status is Status.BACKLOG


async def test_what_waits_is_sent_by_the_next_bot_in_order_and_at_telegrams_pace(bot: Rig) -> None:
    await bot.phone.ask("/jobs")
    bot.api.limit("sendMessage", 3600)
    bot.phone.send("/backlog")
    bot.phone.send("/agents")
    bot.phone.send("/git branch")
    await bot.api.until(lambda: len(bot.api.named("sendMessage")) == 2)
    bot.phone.send("/project")
    await bot.api.until(lambda: not bot.api.updates or bot.api.named("getUpdates")[-1].given["offset"] != "0")
    await bot.api.until(lambda: not bot.api.updates)
    assert len(bot.phone.mine) == 1
    await bot.end()
    await bot.start()
    bot.api.limit("sendMessage", 1)
    await bot.phone.sees("Which project")

    assert [m.text.split()[0] for m in bot.phone.mine] == ["Nothing", "Agents", "No", "*", "Which"]
