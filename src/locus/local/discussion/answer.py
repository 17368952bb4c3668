"""What an agent answers in a discussion: a reply, and the insights that the last message brought."""

import json
import re
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from locus.local.discussion.insights import Draft, Kind

MOST = 10  # insights of one message
OPENING = re.compile(r'\s*\{\s*"reply"\s*:\s*"')
# Characters of a JSON string that are there whole: no half of an escape, and no half of a pair.
WHOLE = re.compile(
    r"""(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"""
    r"""|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"""
)


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


class Reply:
    """Reads the reply out of an answer that is still being written."""

    def __init__(self) -> None:
        self._raw = ""
        self._begun = False

    def feed(self, piece: str) -> str:
        """What the next piece adds to the reply. An answer that begins with anything else adds nothing."""
        self._raw += piece
        if not self._begun:
            opening = OPENING.match(self._raw)
            if opening is None:
                return ""
            self._begun, self._raw = True, self._raw[opening.end() :]
        # A quotation mark ends the reply, and stays where it is.
        whole = WHOLE.match(self._raw)
        assert whole is not None, "it matches nothing, too"
        self._raw = self._raw[whole.end() :]
        return str(json.loads(f'"{whole[0]}"'))


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
