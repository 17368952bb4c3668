"""What an agent must answer when it plans: the schema it is given, and the judgement of what it answers."""

import json
import re
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec

from locus.local.sessions.answer import Faults
from locus.wire.base import CHECK_NAME, LINE, MAX_DOC_BODY, PROSE
from locus.wire.plans import MOST_TASKS, REF, PlanDraft, PlanRisk, PlanTask, Severity
from locus.wire.tasks import Priority, Role

# What the patterns of the wire mean.
FORMS = {
    LINE: "of one line that begins with something visible",
    PROSE: "without the character NUL",
    REF: "of a-z, 0-9 and -",
    CHECK_NAME: "of a-z, 0-9, _, . and -",
}
LARGEST = MAX_DOC_BODY - 4096  # bytes; the rest is for what is sent around it
FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


def _object(**properties: Any) -> dict[str, Any]:
    # Strict schemas of some services want every property required; what may be left out may be null or empty.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def schema(checks: Collection[str]) -> str:
    """The JSON schema of an answer, for a project with checks of these names."""
    names = [*sorted(checks), None]
    item = _object(
        text=_text("One thing that is true when the task is done; at most 500 characters."),
        check={
            "type": ["string", "null"],
            "enum": names,
            "description": "The check that proves it, or null.",
        },
        red_first={"type": "boolean", "description": "Whether a new test must fail without the change; needs a check."},
    )
    task = _object(
        ref=_text("A short name inside of this plan, such as login-form: a-z, 0-9 and -."),
        title=_text("What is to be done, one line, at most 200 characters."),
        description=_text("What, where, how, and the boundaries: what is not to be touched. Markdown."),
        role={"type": ["string", "null"], "enum": [*(role.value for role in Role), None]},
        priority={"type": "string", "enum": [priority.value for priority in Priority]},
        labels=_list({"type": "string"}, "A few words each at most 50 characters; may be empty."),
        complexity={"type": "integer", "enum": [1, 2, 3, 4, 5]},
        estimate_minutes={"type": "integer", "description": "For an agent, checks included."},
        checklist=_list(item, "How somebody can see that it is done; at least one item."),
        depends_on=_list({"type": "string"}, "The ref of every task that must be finished before this one."),
    )
    risk = _object(
        description=_text("What may go wrong; at most 500 characters."),
        mitigation=_text("What to do about it; at most 500 characters."),
        severity={"type": "string", "enum": [severity.value for severity in Severity]},
    )
    plan = _object(
        name=_text("The sprint's name, two to five words."),
        goal=_text("What is better for whom when the sprint is done."),
        tasks=_list(task, f"In the order in which one agent should do them; at most {MOST_TASKS}."),
        risks=_list(risk, "May be empty."),
    )
    return json.dumps(plan)


def judged(answer: str, checks: Collection[str]) -> PlanDraft:
    """The plan that an answer holds, if all of it is right. Raises Faults: no part of a wrong answer is taken."""
    text = _json_in(answer)
    try:
        draft = msgspec.json.decode(text, type=PlanDraft)
    except msgspec.MsgspecError as e:
        raise Faults(list(_wrong_fields(text)) or [f"The plan has a wrong field: {e}."]) from e
    if faults := list(faults_of(draft, checks)):
        raise Faults(faults)
    return draft


def _wrong_fields(text: str) -> Iterator[str]:
    """Each field that cannot be what it is: who mends one at a time may never be done."""
    plan = msgspec.json.decode(text)
    yield from _wrong("The plan", plan, PlanDraft, apart=("tasks", "risks"))
    for name, parts, type_ in (("tasks", "Task", PlanTask), ("risks", "Risk", PlanRisk)):
        found = plan.get(name, [])
        if not isinstance(found, list):
            yield f"The plan has {name} that are no list."
            continue
        for number, part in enumerate(found, start=1):
            yield from _wrong(f"{parts} {number}", part, type_)


def _wrong(what: str, given: Any, type_: type[msgspec.Struct], apart: Collection[str] = ()) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{what} is no object."
        return
    fields = {field.name: field for field in msgspec.structs.fields(type_)}
    for name in (name for name in given if name not in fields):
        yield f"{what} has a field {name!r}, which there is not."
    for name, field in fields.items():
        if name not in given:
            if field.required:
                yield f"{what} has no {name}."
        elif name not in apart:
            try:
                msgspec.convert(given[name], field.type)
            except msgspec.ValidationError as e:
                yield f"{what} has a wrong {name}: {_readable(e)}."


def _readable(e: msgspec.ValidationError) -> str:
    """What is wrong with a field, with its form in words."""
    said = str(e)
    for pattern, words in FORMS.items():
        said = said.replace(f"matching regex {pattern!r}", words)
    return said


def faults_of(draft: PlanDraft, checks: Collection[str]) -> Iterator[str]:
    """Everything that the types cannot say, of a plan for a project with checks of these names."""
    refs = [task.ref for task in draft.tasks]
    known = ", ".join(sorted(checks)) or "none"
    for at, task in enumerate(draft.tasks):
        name = f"Task {task.ref!r}"
        if task.ref in refs[:at]:
            yield f"{name} comes twice: give each task a ref of its own."
        if not task.checklist:
            yield f"{name} has no checklist: say how one can see that it is done."
        for unknown in (ref for ref in task.depends_on if ref not in refs):
            yield f"{name} depends on {unknown!r}, which is no task of this plan."
        for item in task.checklist:
            if item.check is not None and item.check not in checks:
                yield f"{name} names the check {item.check!r}, which the project does not have. It has: {known}."
            if item.red_first and item.check is None:
                yield f"{name} has an item with red_first and without a check."
            if item.done:
                yield f"{name} has an item that is done already."
        if len({label.casefold() for label in task.labels}) != len(task.labels):
            yield f"{name} has a label twice."
    yield from _order(draft, refs)
    if (size := len(msgspec.json.encode(draft))) > LARGEST:
        yield f"The plan has {size:,} bytes, and at most {LARGEST:,} can be taken: say less in the descriptions."


def _order(draft: PlanDraft, refs: list[str]) -> Iterator[str]:
    try:
        TopologicalSorter({task.ref: task.depends_on for task in draft.tasks}).prepare()
    except CycleError as e:
        yield f"Tasks wait for each other in a circle: {' -> '.join(reversed(e.args[1]))}."
        return
    for at, task in enumerate(draft.tasks):
        for later in (ref for ref in task.depends_on if ref in refs and refs.index(ref) > at):
            yield f"Task {task.ref!r} stands before {later!r}, which it depends on: put them in order."


def _json_in(answer: str) -> str:
    """The one JSON object of an answer, which may stand in a fence or between sentences. Raises Faults."""
    text = answer.strip()
    inner = text[text.find("{") : text.rfind("}") + 1] if "{" in text else ""
    fenced: list[str] = FENCE.findall(text)[::-1]
    trouble = "there is no JSON object in it"
    for candidate in (text, *fenced, inner):
        if not candidate.strip().startswith("{"):
            continue
        try:
            msgspec.json.decode(candidate)
        except (msgspec.MsgspecError, RecursionError) as e:
            trouble = str(e)
            continue
        return candidate
    raise Faults([f"The answer is not one JSON object: {trouble}."])
