"""Answers of codex's model are counted as they are recorded; only one that wants another counts against a limit."""

import json
from pathlib import Path
from typing import Any

import pytest

from locus.local.providers.base import Ask, Event, Spent, Turn
from locus.local.providers.codex_rollout import Rollouts
from locus.local.providers.codex_stream import CodexReader

THREAD = "0199a213-81c0-7800-8aa1-bbab2a035a53"


class Conversation:
    """One run of codex: what it prints, and what it records beside."""

    def __init__(self, home: Path) -> None:
        folder = home / "sessions/2026/11/30"
        folder.mkdir(parents=True)
        self._record = folder / f"rollout-2026-11-30T05-00-00-{THREAD}.jsonl"
        self._record.touch()
        self._reader = CodexReader(Ask(prompt="x", cwd=home, run_id="r"), Rollouts(home))
        self.prints({"type": "thread.started", "thread_id": THREAD})
        self.first = self.prints({"type": "turn.started"})

    def prints(self, line: dict[str, Any]) -> list[Event]:
        return [one for one in self._reader.read(json.dumps(line).encode()) if isinstance(one, Turn | Spent)]

    def tool(self, number: int, kind: str) -> list[Event]:
        item = {"id": f"item_{number}", "type": "command_execution", "command": "true", "exit_code": 0}
        return self.prints({"type": f"item.{kind}", "item": item})

    def answers(self) -> None:
        """The model's answer is recorded."""
        line = {"type": "token_usage_record", "payload": {"usage": {"input_tokens": 10, "output_tokens": 1}}}
        with self._record.open("a") as opened:
            opened.write(json.dumps(line) + "\n")


@pytest.fixture
def conversation(tmp_path: Path) -> Conversation:
    return Conversation(tmp_path)


def tokens(events: list[Event]) -> list[int]:
    """The number of each answer that began, and, negative, the tokens that were spent when one was looked at."""
    return [one.number if isinstance(one, Turn) else -one.usage.tokens for one in events]


def test_an_answer_is_spent_when_its_tools_begin(conversation: Conversation) -> None:
    assert tokens(conversation.first) == [1]
    conversation.answers()
    assert tokens(conversation.tool(1, "started")) == [-11]
    assert tokens(conversation.tool(1, "completed")) == [-11], "nothing new, and the limit is looked at again"
    conversation.answers()
    assert tokens(conversation.tool(2, "started")) == [2, -22]


def test_a_last_answer_that_is_recorded_early_is_not_taken_for_one_that_wants_another(
    conversation: Conversation,
) -> None:
    conversation.answers()
    conversation.tool(1, "started")
    conversation.answers()  # before anybody has read that the tool is done

    assert tokens(conversation.tool(1, "completed")) == [2], "it began; whether it is the last is not known"
    assert tokens(conversation.prints({"type": "item.completed", "item": {"id": "2", "type": "agent_message"}})) == []


def test_one_that_is_recorded_early_and_uses_tools_is_spent_then(conversation: Conversation) -> None:
    conversation.answers()
    conversation.tool(1, "started")
    conversation.answers()
    conversation.tool(1, "completed")

    assert tokens(conversation.tool(2, "started")) == [-22]


def test_one_that_is_recorded_late_is_spent_when_its_tools_are_done(conversation: Conversation) -> None:
    conversation.tool(1, "started")
    conversation.answers()

    assert tokens(conversation.tool(1, "completed")) == [-11]


def test_without_a_record_each_group_of_tools_is_an_answer(conversation: Conversation) -> None:
    assert tokens(conversation.tool(1, "started")) == []
    assert tokens(conversation.tool(1, "completed")) == [0]
    assert tokens(conversation.tool(2, "started")) == [2]
    assert tokens(conversation.tool(2, "completed")) == [0]
