"""What an agent beside a person can be asked for: to change nothing, to answer a schema, to talk as it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.support.agent_rigs import REAL_RIGS, ClaudeRig, CodexRig, Rig
from tests.support.model_server import Request, Says, ToolCall

from locus.local.providers.base import AnswerPart, Ask, Ending, Event, Finished, Text, TextPart, Thinking
from locus.local.providers.run import run

pytestmark = pytest.mark.real_agent

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
)


@pytest.fixture(params=REAL_RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return REAL_RIGS[request.param](tmp_path)


def ask(rig: Rig) -> Ask:
    return Ask(prompt="Do what the script says.", cwd=rig.work, run_id=str(uuid4()))


async def heard(rig: Rig, asked: Ask, *script: Says) -> tuple[list[Event], Finished, Sequence[Request]]:
    with rig.plays(*script) as played:
        said = run(played.provider, asked, environment=played.environment, silence=60.0, wall=120.0)
        events = [event async for event in said]
    finished = events[-1]
    assert isinstance(finished, Finished)
    return events, finished, played.requests


async def test_an_agent_that_may_only_read_writes_nothing(rig: Rig) -> None:
    events, finished, _ = await heard(
        rig, replace(ask(rig), read_only=True), rig.writes("planted.txt", "x"), Says("I could not.")
    )

    assert finished.ending is Ending.DONE, finished
    assert not (rig.work / "planted.txt").exists()
    assert [event.text for event in events if isinstance(event, Text)][-1] == "I could not."


async def test_claude_keeps_the_answer_to_a_schema_apart(tmp_path: Path) -> None:
    rig = ClaudeRig(tmp_path)

    _, finished, _ = await heard(
        rig, replace(ask(rig), schema=SCHEMA), Says(tools=[ToolCall("StructuredOutput", {"name": "x"})]), Says("Done.")
    )

    assert finished.ending is Ending.DONE, finished
    assert json.loads(finished.structured or "") == {"name": "x"}


async def test_an_answer_that_ignores_the_schema_is_no_structured_one(rig: Rig) -> None:
    _, finished, _ = await heard(rig, replace(ask(rig), schema=SCHEMA), Says("Just prose."))

    assert finished.structured is None


async def test_codex_hands_the_schema_to_its_model_also_when_it_goes_on(tmp_path: Path) -> None:
    rig = CodexRig(tmp_path)
    asked = replace(ask(rig), schema=SCHEMA)

    _, first, asked_first = await heard(rig, asked, Says('{"name": "x"}'))
    _, second, asked_then = await heard(rig, replace(asked, session=first.session, run_id="two"), Says('{"name": "y"}'))

    assert first.ending is second.ending is Ending.DONE, (first, second)
    formats = [request.body["text"]["format"] for request in (*asked_first, *asked_then)]
    assert [(one["type"], one["schema"]) for one in formats] == [("json_schema", json.loads(SCHEMA))] * 2


async def test_claude_tells_a_text_in_parts_and_then_whole(tmp_path: Path) -> None:
    rig = ClaudeRig(tmp_path)

    events, _, _ = await heard(rig, replace(ask(rig), parts=True), Says("One whole sentence."))

    parts = [event.text for event in events if isinstance(event, TextPart)]
    assert "".join(parts) == "One whole sentence."
    assert [event.text for event in events if isinstance(event, Text)] == ["One whole sentence."]


async def test_claude_tells_what_answers_a_schema_in_parts_and_nothing_of_its_other_tools(tmp_path: Path) -> None:
    rig = ClaudeRig(tmp_path)
    script = [rig.runs("true"), Says(tools=[ToolCall("StructuredOutput", {"name": "x"})]), Says("Done.")]

    events, finished, _ = await heard(rig, replace(ask(rig), schema=SCHEMA, parts=True), *script)

    told = "".join(event.text for event in events if isinstance(event, AnswerPart))
    assert json.loads(told) == json.loads(finished.structured or "") == {"name": "x"}


async def test_what_the_model_thinks_is_told_apart_from_what_it_says(rig: Rig) -> None:
    thought = Says("It is a shop.", thinking="What may it be?")

    events, _, _ = await heard(rig, replace(ask(rig), parts=True), thought)

    assert "".join(event.text for event in events if isinstance(event, Thinking)) == "What may it be?"
    assert [event.text for event in events if isinstance(event, Text)] == ["It is a shop."]
