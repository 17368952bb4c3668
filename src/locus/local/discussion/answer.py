"""What an agent answers in a discussion: a reply, and the insights that the last message brought."""

import json
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from locus.local.discussion.insights import Draft, Kind

MOST = 10  # insights of one message


class Faults(Exception):
    """Why an answer cannot be taken."""


class Answer(Struct, kw_only=True, forbid_unknown_fields=True):
    reply: Annotated[str, Meta(min_length=1, max_length=20_000)]
    insights: Annotated[list[Draft], Meta(max_length=MOST)] = []


def schema() -> str:
    """The JSON schema of an answer; every object closed, every field required, as strict services want it."""
    insight = _object(
        kind={"type": "string", "enum": [kind.value for kind in Kind]},
        title={"type": "string", "description": "One line, at most 120 characters."},
        text={"type": "string", "description": "What was said, so that one who was not there understands it."},
        tags={"type": "array", "items": {"type": "string"}, "description": "At most 8 words."},
        replaces={
            "type": ["string", "null"],
            "description": "The id of the insight that this corrects, or null.",
        },
    )
    return json.dumps(
        _object(
            reply={"type": "string", "description": "What you say to the person. Markdown."},
            insights={
                "type": "array",
                "items": insight,
                "description": "What is new; often none.",
            },
        )
    )


def judged(text: str, known: Collection[str]) -> Answer:
    """The answer, if all of it is right; `known` are ids of insights. Raises Faults."""
    start, end = text.find("{"), text.rfind("}")
    try:
        answer = msgspec.json.decode(text[start : end + 1] if start >= 0 else text, type=Answer)
    except (msgspec.MsgspecError, UnicodeError) as e:
        raise Faults(f"The answer is not the JSON object that was asked for: {e}.") from e
    for insight in answer.insights:
        if insight.replaces is not None and insight.replaces not in known:
            raise Faults(f"There is no insight {insight.replaces!r} to replace; use null for a new one.")
    return answer


def _object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
