"""Which item of a checklist a person means."""

import re

from locus.local.errors import Usage
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
