"""Which item of a checklist a person means, and which check."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.session import root
from locus.local import project
from locus.local.errors import LocalError, Usage
from locus.wire.tasks import ChecklistItem, Task


def find_item(task: Task, wanted: str) -> ChecklistItem:
    """The checklist item that a person means. Raises Usage when it is none, or not clear which."""
    if re.fullmatch(r"[1-9][0-9]{0,2}", wanted) and int(wanted) <= len(task.checklist):
        return task.checklist[int(wanted) - 1]
    found = [i for i in task.checklist if i.id == wanted] or [
        i for i in task.checklist if i.text.casefold().startswith(wanted.casefold())
    ]
    if len(found) == 1:
        return found[0]
    which = "is not clear" if found else "does not exist"
    raise Usage(f"Item {wanted!r} of {task.key} {which}.", remedy=f"See the numbers: locus tasks show {task.key}")


def tell_unknown(here: Invocation, out: Output, names: Iterable[str]) -> None:
    """Say which checks the repository around does not have: a slip of the pen, unless they are those of another one."""
    place = root(here)
    if place is None:
        return
    try:
        known = [check.name for check in project.load(place).checks]
    except LocalError:
        return  # `locus doctor` says what is wrong with it
    for name in dict.fromkeys(names):
        if name not in (*known, project.REVIEW):
            close = get_close_matches(name, known, n=1)
            there = f"Did you mean `{close[0]}`?" if close else f"It has: {', '.join(known) or 'none'}."
            out.note(f"This repository has no check `{name}`, so nothing here will tick it. {there}")
