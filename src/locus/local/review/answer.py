"""What a reviewer must answer: the schema it is given, and the judgement of what it answers.

The verdict is one field of one JSON object, and nothing else is: no words in a change or around an answer can be it.
"""

# No `from __future__ import annotations`: msgspec reads them.

import json
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from locus.local.git.hunks import FileDiff
from locus.local.sessions.answer import Faults

MOST_FINDINGS = 50
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Verdict(StrEnum):
    APPROVE = "approve"
    COMMENT = "comment"  # neither: there are remarks, and none that should keep it from being merged
    REQUEST_CHANGES = "request_changes"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Side(StrEnum):
    NEW = "new"
    OLD = "old"  # of removed lines


GRAVE = frozenset({Severity.CRITICAL, Severity.HIGH})


class Finding(Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that is wrong, or may be. `start_line` to `line` are what `suggestion` would replace."""

    file: str
    line: int
    start_line: int | None = None
    side: Side = Side.NEW
    severity: Severity
    confidence: Confidence
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    detail: Words
    suggestion: Annotated[str, msgspec.Meta(max_length=4000)] | None = None

    @property
    def place(self) -> str:
        several = self.start_line is not None and self.start_line < self.line
        lines = f"{self.start_line}-{self.line}" if several else f"{self.line}"
        return f"{self.file}:{lines}{' (before)' if self.side is Side.OLD else ''}"


class Opinion(Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole answer."""

    verdict: Verdict
    summary: Words
    findings: Annotated[list[Finding], msgspec.Meta(max_length=MOST_FINDINGS)] = []


def schema() -> str:
    """The JSON schema of an answer."""

    def said(description: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", "description": description, **more}

    # Strict schemas of some services want every property required; what may be left out may be null.
    finding = {
        "file": said("The path of the file, as it stands in the change."),
        "line": {"type": "integer", "description": "The last line that it is about, as numbered in the change."},
        "start_line": {"type": ["integer", "null"], "description": "The first of several lines, or null."},
        "side": said("new for added and unchanged lines, old for removed ones.", enum=[*Side]),
        "severity": said("critical and high are what must not be merged.", enum=[*Severity]),
        "confidence": said("How sure you are that it is so.", enum=[*Confidence]),
        "title": said("What is wrong, in one line."),
        "detail": said("Why, and when it shows. Markdown."),
        "suggestion": {"type": ["string", "null"], "description": "Text in place of start_line to line, or null."},
    }
    whole = {
        "verdict": said("What you would do with it.", enum=[*Verdict]),
        "summary": said("What the change does, and how good it is, in a few sentences."),
        "findings": {"type": "array", "items": _object(finding), "description": f"At most {MOST_FINDINGS}."},
    }
    return json.dumps(_object(whole))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def judged(answer: str, files: Sequence[FileDiff]) -> Opinion:
    """The opinion that an answer is, if it is nothing else and all of it is right. Raises Faults."""
    text = answer.strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        opinion = msgspec.json.decode(text.encode(errors="replace"), type=Opinion)
    except msgspec.ValidationError as e:
        raise Faults([f"A field is wrong: {e}."]) from e
    except msgspec.DecodeError as e:
        raise Faults([f"The answer is not one JSON object and nothing else: {e}."]) from e
    if faults := list(faults_of(opinion, files)):
        raise Faults(faults)
    return opinion


def faults_of(opinion: Opinion, files: Sequence[FileDiff]) -> Iterator[str]:
    """Everything that the types cannot say of an opinion about a change of these files."""
    grave = [finding for finding in opinion.findings if finding.severity in GRAVE]
    if opinion.verdict is Verdict.APPROVE and grave:
        yield f"The verdict is approve, and a finding is {grave[0].severity.value}: {grave[0].title!r}."
    if opinion.verdict is Verdict.REQUEST_CHANGES and not opinion.findings:
        yield "The verdict is request_changes, and there is no finding that says what to change."
    shown = {file.path: file for file in files}
    for finding in opinion.findings:
        file = shown.get(finding.file)
        if file is None:
            yield f"{finding.file!r} is no file of the change. It has: {', '.join(list(shown)[:10])}."
        elif not any(_covers(numbers, finding) for numbers in _numbered(file, finding.side)):
            yield f"{finding.place}: the change shows no such line on the {finding.side.value} side."
        if finding.suggestion is not None and finding.side is Side.OLD:
            yield f"{finding.place}: a suggestion can only take the place of lines on the new side."


def _numbered(file: FileDiff, side: Side) -> Iterator[set[int]]:
    for hunk in file.hunks:
        numbers = (line.new if side is Side.NEW else line.old for line in hunk.lines)
        yield {number for number in numbers if number is not None}


def _covers(numbers: set[int], finding: Finding) -> bool:
    start = finding.line if finding.start_line is None else finding.start_line
    return start <= finding.line and start in numbers and finding.line in numbers
