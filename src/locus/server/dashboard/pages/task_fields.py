"""The fields of a task that people edit one by one: how a form says them, and what tells one state from another."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from locus.server.dashboard import words
from locus.server.dashboard.forms import Form
from locus.server.db.pool import Db
from locus.server.errors import Invalid, NotFound
from locus.server.tasks import store
from locus.wire.tasks import Priority, Role, Task


@dataclass(frozen=True)
class Field:
    """`said` is what a form says, as the wire has it; `shown` is how it reads in a sentence."""

    title: str
    said: Callable[[Form], object]
    shown: Callable[[object], str]


def _names(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) and value else "none"


def _word(given: dict[str, str]) -> Callable[[object], str]:
    return lambda value: "none" if value is None else given.get(str(value), str(value))


def _labels(form: Form) -> list[str]:
    parts = [part.strip() for part in form.text("value").replace("\n", ",").split(",")]
    return list(dict.fromkeys(part for part in parts if part))


def _plain(value: object) -> str:
    return "none" if value is None else str(value)


def _due(value: object) -> str:
    return words.day(date.fromisoformat(str(value))) if value else "none"


FIELDS: dict[str, Field] = {
    "title": Field("title", lambda form: form.line("value"), str),
    "description": Field("description", lambda form: form.text("value"), str),
    "priority": Field(
        "priority", lambda form: form.line("value"), _word({one.value: words.PRIORITY[one] for one in Priority})
    ),
    "role": Field("role", lambda form: form.optional("value"), _word({one.value: words.ROLE[one] for one in Role})),
    "labels": Field("labels", _labels, _names),
    "assignee": Field("assignee", lambda form: form.optional("value"), _plain),
    "due_on": Field("due date", lambda form: form.optional("value"), _due),
    "sprint_id": Field("sprint", lambda form: form.optional("value"), _plain),
    "parent_id": Field("parent", lambda form: form.optional("value"), _plain),
    "depends_on": Field("dependencies", _labels, _names),
    "doc_ids": Field("docs", lambda form: form.many("value"), _names),
}


def current(task: Task, name: str) -> object:
    """A field of a task as the wire has it."""
    value = getattr(task, name)
    if isinstance(value, list):
        return [str(one) for one in value]
    return None if value is None else str(value)


def fingerprint(task: Task, name: str) -> str:
    """What tells this state of a field from others. A form repeats the one that it was made from."""
    return hashlib.sha256(json.dumps(current(task, name)).encode()).hexdigest()[:16]


def fingerprints(task: Task) -> dict[str, str]:
    """The fingerprint of each field."""
    return {name: fingerprint(task, name) for name in FIELDS}


async def resolved(db: Db, task: Task, name: str, value: object) -> object:
    """A value in which keys like WEB-12 stand for ids of tasks, with the ids.

    Raises:
        Invalid: there is no such task here.
    """
    if name == "depends_on" and isinstance(value, list):
        return [await _id(db, task, name, str(one)) for one in value]
    if name == "parent_id" and value is not None:
        return await _id(db, task, name, str(value))
    return value


async def _id(db: Db, task: Task, field: str, said: str) -> str:
    try:
        return str(await store.find(db, task.workspace_id, said))
    except NotFound as e:
        raise Invalid.field(field, f"names {said[:40]}, and there is no such task here") from e
