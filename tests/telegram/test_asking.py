"""The real claude asks before it acts, and a phone answers: allow once, allow for this run, deny, or nothing at all."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
from tests.support import agent_clis
from tests.support.model_anthropic import AnthropicModel
from tests.support.model_server import Says, Step, ToolCall
from tests.support.telegram import Message
from tests.support.telegram_bot import Rig
from tests.support.telegram_phone import Phone

from locus.wire.tasks import Status, Task

pytestmark = pytest.mark.real_agent
SECRET = "ghp_" + "a1B2" * 9


def runs(command: str) -> Step:
    return Says(tools=[ToolCall("Bash", {"command": command, "description": "as scripted"})])


@dataclass
class Agent:
    """A bot on a machine whose agent is claude, and asks."""

    rig: Rig

    @contextmanager
    def says(self, *script: Step) -> Iterator[None]:
        """Let the model say this; only jobs that the bot has started by then see it."""
        with AnthropicModel([*script, Says("Done.")]) as model:
            settings = self.rig.person.home / ".claude" / "settings.json"
            settings.parent.mkdir(exist_ok=True)
            # The bot runs already, and its environment is its own: claude reads where its model is from the home.
            settings.write_text(f'{{"env": {{"ANTHROPIC_BASE_URL": "{model.url}"}}}}')
            yield

    async def asks(self, *words: str) -> Message:
        return await self.rig.phone.sees("asks: may it use", *words)

    async def reviewed(self, task: Task) -> Sequence[str]:
        """The files that the pushed commit has added."""
        await self.rig.becomes(task, Status.IN_REVIEW, limit=180)
        return self.rig.person.git("ls-tree", "--name-only", "locus/sprint-1", cwd=self.rig.person.bare()).split()


@pytest.fixture
async def agent(rig: Rig, tmp_path: Path) -> AsyncIterator[Agent]:
    known = agent_clis.claude(tmp_path / "unused", "http://127.0.0.1:1")
    (rig.person.bin / "claude").symlink_to(agent_clis.BIN / "claude")
    for program in ("python3", "bash", "bwrap"):
        if (found := shutil.which(program)) is not None:
            (rig.person.bin / program).symlink_to(found)
    rig.person.variables.update(
        LOCUS_PROVIDER="claude",
        LOCUS_PERMISSIONS="ask",
        LOCUS_SANDBOX="on" if shutil.which("bwrap") else "off",
        LOCUS_ASK_SECONDS="600",
        ANTHROPIC_API_KEY=known["ANTHROPIC_API_KEY"],
        SHELL="/bin/bash",
    )
    await rig.start()
    yield Agent(rig)


async def test_a_phone_allows_once_for_the_run_and_denies(agent: Agent) -> None:
    rig = agent.rig
    other = Phone(rig.api, user=8, name="Mallory")
    task = await rig.task("Write one")
    with agent.says(
        runs("git mv README.md one.md"),
        runs("git mv one.md two.md"),
        runs(f"python3 -c 'print(3)' > three.txt # token={SECRET}"),
        runs("python3 -c 'print(4)' > four.txt\ntouch hidden.txt"),
    ):
        rig.phone.send("/run")
        first = await agent.asks("git mv README.md one.md")
        other.press(first, "✓ Allow once")  # not on the list, and not their button
        rig.phone.press(first, "✓ Allow for this run")
        third = await agent.asks("three.txt")
        rig.phone.press(third, "✓ Allow once")
        rig.phone.press(third, "✗ Deny")
        fourth = await agent.asks("four.txt")
        assert "hidden" not in fourth.text
        assert "not all of it" in fourth.text
        assert not any(label.startswith("✓ Allow for") for label in fourth.buttons)
        rig.phone.press(fourth, "✗ Deny")
        files = await agent.reviewed(task)

    assert {"two.md", "three.txt"} <= set(files)
    assert not {"README.md", "one.md", "four.txt", "hidden.txt"} & set(files)
    assert not any("git mv one.md two.md" in message.text for message in rig.phone.mine)
    assert not any(SECRET in str(call.given) for call in rig.api.calls)
    assert (await rig.phone.sees("three.txt", "Allowed once by Ada")).buttons == {}
    assert (await rig.phone.sees("four.txt", "Denied by Ada")).buttons == {}
    assert len(other.api.shown) == len(rig.phone.mine)


async def test_nobody_answering_is_a_no(agent: Agent) -> None:
    rig = agent.rig
    await rig.end()
    rig.person.variables["LOCUS_ASK_SECONDS"] = "5"
    await rig.start()
    task = await rig.task("Write one")
    with agent.says(
        runs("python3 -c 'print(1)' > one.txt"),
        Says(tools=[ToolCall("Write", {"file_path": "two.txt", "content": "x"})]),
    ):
        rig.phone.send("/run")
        asked = await agent.asks("one.txt")
        closed = await rig.phone.sees("one.txt", "nobody answered in time", limit=60)
        files = await agent.reviewed(task)
    late = await rig.phone.ask("/jobs")
    rig.phone.press(asked, "✓ Allow once")
    await rig.api.until(lambda: any("used up" in str(call.given) for call in rig.api.named("answerCallbackQuery")))

    assert closed.buttons == {}
    assert late.text
    assert "one.txt" not in files


async def test_a_run_that_nobody_can_answer_does_not_start(rig: Rig) -> None:
    agent_clis.require("claude")
    (rig.person.bin / "claude").symlink_to(agent_clis.BIN / "claude")

    without = await rig.locus("run", "--provider=claude", "--permissions=ask")
    another = await rig.locus("run", "--provider=command", "--permissions=ask")

    assert without.code == 1
    assert "no bot is at work" in without.err
    assert "cannot ask before they act" in another.err


async def test_the_terminal_of_a_run_answers_too_and_shows_all_of_a_command(agent: Agent) -> None:
    rig = agent.rig
    task = await rig.task("Write one")
    with agent.says(
        runs("python3 -c 'print(1)' > one.txt\necho more"),
        runs("python3 -c 'print(2)' > two.txt"),
        Says("Done."),
    ):
        child = rig.person.at_terminal("run", "--permissions=ask", cwd=rig.root, timeout=180)

        def allow() -> str:
            child.expect("Without an answer in 600 s it is denied")
            said = str(child.before)
            child.sendline("x")  # no answer
            child.sendline("o")
            child.expect("allowed once by somebody at the terminal")
            child.expect("Without an answer in 600 s it is denied")
            return said

        def deny() -> None:
            child.sendline("d")
            child.expect("denied by somebody at the terminal")
            child.expect(pexpect.EOF)

        said = await asyncio.to_thread(allow)
        await agent.asks("two.txt")  # the phone was asked as well
        await asyncio.to_thread(deny)
        files = await agent.reviewed(task)

    assert "more" in said
    assert "one.txt" in files
    assert "two.txt" not in files
    assert "by somebody at the terminal" in (await rig.phone.sees("two.txt", "Denied")).text
