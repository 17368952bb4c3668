"""From the phone alone: a run, its result rejected with feedback, the next attempt, and the end."""

from tests.support.telegram_bot import Rig

from locus.wire.tasks import Status


async def test_feedback_from_the_phone_reaches_the_next_attempts_prompt(bot: Rig) -> None:
    bot.agent(f"cat > {bot.person.place}/prompt.$$; echo $$ > one.txt")
    task = await bot.task("Write one <b>&</b>")

    bot.phone.send("/run")
    shown = await bot.phone.sees("WEB-1", "can be reviewed")
    assert "Write one <b>&</b>" in shown.text
    assert "✓ unit 3" in shown.text
    await bot.phone.sees("Sprint 1: First", "The sprint has nothing left for agents.")
    bot.phone.press(shown, "✗ Reject")
    question = await bot.phone.sees("What is missing in WEB-1")
    assert question.asks
    bot.phone.send("It must say *two* — and nothing else.\n--force", reply_to=question)
    await bot.phone.sees("WEB-1 goes back")
    assert (await bot.plane.tasks.get(task.id)).status is Status.BACKLOG
    known = len(bot.phone.mine)
    bot.phone.send("/run")
    again = await bot.api.until(
        lambda: next(
            (m for m in bot.phone.mine[known:] if "can be reviewed" in m.text and "✓ Approve" in m.buttons), None
        )
    )
    bot.phone.press(again, "✓ Approve")
    await bot.phone.sees("WEB-1 is done")

    prompts = sorted(bot.person.place.glob("prompt.*"), key=lambda path: path.stat().st_mtime)
    assert "It must say" not in prompts[0].read_text()
    assert "It must say *two* — and nothing else.\n" in prompts[1].read_text()
    assert (await bot.plane.tasks.get(task.id)).status is Status.DONE
