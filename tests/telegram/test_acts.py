"""The bot as a person uses it, against the real server, real jobs and real git."""

import asyncio
import re
import time

import psutil
from tests.support.processes import is_alive, until
from tests.support.telegram import TOKEN
from tests.support.telegram_bot import Rig
from tests.support.telegram_phone import Phone

from locus.telegram.commands import COMMANDS
from locus.wire.sprints import SprintDraft
from locus.wire.tasks import Status

LOOKS = {
    "/help": "Let agents work",
    "/dashboard": "Sprint 1",
    "/workspace": "Web (WEB)",
    "/activity 5": "WEB-1 written",
    "/agents": "No agent is at work",
    "/status": "nothing is at work",
    "/tasks": "WEB-1",
    "/tasks done": "No task matches",
    "/task WEB-1": "Write <one>",
    "/backlog": "Next up",
    "/sprints": "Second",
    "/sprint": "Tasks",
    "/git": "## main",
    "/git log 1": "Checks",
    "/git diff": "README.md",
    "/git branch": "main",
    "/dev": "Which check",
    "/limits": "wall minutes: 60",
    "/budget": "Last 24 hours",
    "/jobs": "Nothing was started",
    "/logs": "There is no such job",
    "/project": "Which project",
    "/notify": "review",
    "/exec do it": "locus telegram allow exec",
    "/quiet 22:00-07:00": "22:00 until 07:00",
    "/quiet off": "no quiet hours",
    "/startsprint 2": "1",
    "hello": "/help",
    "/task WEB-99": "✗",
    "/nosuch": "There is no command",
}


async def test_every_look_is_answered_in_order_and_registered_in_the_menu(bot: Rig) -> None:
    await bot.task("Write <one>", description="It is *important* & <b>so</b>")
    await bot.plane.sprints.create(SprintDraft(name="Second"))
    (bot.root / "README.md").write_text("Another shop.\n")

    for text, expected in LOOKS.items():
        answer = await bot.phone.ask(text)
        assert expected in answer.text, (text, answer.text)
    for text in LOOKS:
        bot.phone.send(text)
    first = len(LOOKS)
    await bot.api.until(lambda: len(bot.phone.mine) >= 2 * first)

    assert [m.text.split("\n")[0][:6] for m in bot.phone.mine[first:][:3]] == [
        m.text.split("\n")[0][:6] for m in bot.phone.mine[:3]
    ]
    assert {command["command"] for command in bot.api.commands} == {n for n, s in COMMANDS.items() if s.listed}


async def test_the_bot_answers_while_a_run_works_and_stopping_it_leaves_no_process(bot: Rig) -> None:
    bot.agent(f"cat > /dev/null; echo half > half.txt; sleep 600 & echo $$ $! > {bot.person.place}/pids; wait")
    task = await bot.task("Write one")
    pids = bot.person.place / "pids"

    bot.phone.send("/run")
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2, limit=60)
    began = time.monotonic()
    await bot.phone.ask("/backlog")
    assert time.monotonic() - began < 5
    again = await bot.phone.ask("/run")
    assert "at work already" in again.text
    assert (await bot.phone.sees("WEB-1", "agent")).edits > 0
    question = await bot.phone.ask("/stop")
    assert set(question.buttons) == {"Stop", "No"}
    intruder = Phone(bot.api, user=8, name="Eve")
    intruder.press(question, "Stop")
    elsewhere = bot.phone.pressed(question, question.buttons["Stop"])
    elsewhere["message"]["chat"] = {"id": -5, "type": "group", "title": "Everybody"}
    bot.api.push("callback_query", elsewhere)
    await bot.phone.ask("/jobs")
    assert all(is_alive(int(pid)) for pid in pids.read_text().split())
    bot.phone.press(question, "Stop")
    bot.phone.press(question, "Stop")
    await bot.phone.sees("Stopping job 1")
    await bot.phone.sees("■", "job 1")

    await until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), limit=60)
    await bot.becomes(task, "BACKLOG")
    assert [m.text for m in bot.phone.mine].count("■ Stopping job 1.") == 1
    await bot.api.until(lambda: "This button is used up, or its time is over." in bot.api.toasts)


async def test_a_paused_run_goes_on_when_it_is_resumed(bot: Rig) -> None:
    bot.agent(f"cat > /dev/null; test -e {bot.person.place}/go || sleep 600; echo done > one.txt")
    task = await bot.task("Write one")

    bot.phone.send("/run 1")
    await bot.becomes(task, "IN_PROGRESS")
    bot.phone.send("/pause")
    await bot.becomes(task, "BACKLOG")
    await bot.phone.sees("■", "job 1")
    (bot.person.place / "go").touch()
    bot.phone.send("/resume")
    await bot.becomes(task, "IN_REVIEW")
    await bot.phone.sees("✓ Sprint 1: First · job 2")

    bot.phone.send("/resume")
    await bot.phone.sees("No run is paused")


async def test_a_check_runs_as_a_job_and_its_output_stays_unless_allowed(bot: Rig) -> None:
    bot.phone.send("/dev unit")
    await bot.phone.sees("✓ unit 3 tests")
    (bot.root / "red").touch()
    bot.phone.send("/dev unit")
    assert "passed in" not in (await bot.phone.sees("✗ unit")).text
    assert (await bot.locus("telegram", "allow", "code")).code == 0
    bot.phone.send("/dev unit")
    await bot.phone.sees("✗ unit", "3 passed in 0.01s")


async def test_a_push_asks_first_and_takes_the_branch_that_is_checked_out(bot: Rig) -> None:
    bot.person.git("checkout", "-q", "-b", "feature", cwd=bot.root)
    bot.person.git("commit", "-q", "--allow-empty", "-m", "More", cwd=bot.root)

    question = await bot.phone.ask("/git push")
    remote = bot.person.bare()
    assert "feature" not in bot.person.git("branch", "--list", cwd=remote)
    bot.phone.press(question, "Push")
    await bot.phone.sees("feature is pushed to origin")

    assert bot.person.git("rev-parse", "feature", cwd=remote) == bot.person.git("rev-parse", "HEAD", cwd=bot.root)


async def test_who_is_not_on_the_list_gets_no_answer_and_an_old_button_accepts_no_newer_work(bot: Rig) -> None:
    bot.agent("cat > /dev/null; echo $$ > one.txt")
    task = await bot.task("Write one")
    eve = Phone(bot.api, user=8, name="Eve")
    bot.api.users.add(8)

    for text in ("/start", "/run", "/help", "hello"):
        eve.send(text)
    bot.phone.send("/run")
    first = await bot.phone.sees("can be reviewed")
    assert (await bot.locus("tasks", "reject", task.key, "-m", "Again")).code == 0
    known = len(bot.phone.mine)
    await bot.phone.sees("The sprint has nothing left")
    bot.phone.send("/run")
    await bot.api.until(lambda: [m for m in bot.phone.mine[known:] if "can be reviewed" in m.text])
    bot.phone.press(first, "✓ Approve")
    await bot.phone.sees("has moved on since that message")

    assert (await bot.plane.tasks.get(task.id)).status is Status.IN_REVIEW
    assert not eve.mine


async def test_completing_a_sprint_asks_what_becomes_of_open_tasks(bot: Rig) -> None:
    await bot.task("Write one")

    question = await bot.phone.ask("/completesprint")
    assert "1 tasks are not done" in question.text
    bot.phone.press(question, "Complete: to the backlog")
    await bot.phone.sees("Sprint 1 is completed")

    assert (await bot.plane.sprints.get(1)).status == "COMPLETED"


async def test_token_and_keys_are_in_no_message_log_or_command_line(bot: Rig) -> None:
    secret = TOKEN.partition(":")[2]
    await bot.task(f"Use {bot.key} and {TOKEN} and password=hunter2hunter2", description=f"key {bot.key}")
    bot.agent("cat > /dev/null; sleep 600")

    shown = [await bot.phone.ask(text) for text in ("/task WEB-1", "/tasks", "/workspace", "/status", "/git log")]
    bot.phone.send("/run")
    shown.append(await bot.phone.sees("WEB-1", "agent"))
    processes = await asyncio.to_thread(command_lines)
    bot.phone.press(await bot.phone.ask("/stop 1"), "Stop")
    await bot.phone.sees("■", "job 1")
    await bot.end()

    assert "[secret]" in shown[0].text
    words = [m.html for m in bot.api.shown] + [log.read_text() for log in bot.logs] + processes
    words += [p.read_text(errors="replace") for p in (bot.person.state / "telegram" / "jobs").glob("*.log")]
    for needle in (secret, bot.key, "hunter2"):
        assert not [text for text in words if needle in text][:1], needle
    ours = [p for p in bot.files() if "attempts" not in p.parts and "worktrees" not in p.parts]
    held = [p.name for p in ours if secret.encode() in p.read_bytes()]
    assert held == ["telegram.json"]


def command_lines() -> list[str]:
    found = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in found if re.search(r"locus|agent", line)]
