"""Checklists: how what people send becomes the items that are stored. Pure; new ids are an argument."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from msgspec import UNSET
from msgspec.structs import replace

from locus.server.errors import Invalid, NotFound
from locus.wire.tasks import ChecklistItem, ChecklistItemDraft, ItemEdit

MOST = 100  # items

NEEDS_A_CHECK = "needs a check that can be red"
BY_EVIDENCE = "is ticked by green evidence of its check alone"


def new_id() -> str:
    """An id for a checklist item: 96 random bits in 24 characters."""
    return uuid4().hex[:24]


def drafted(
    drafts: Sequence[ChecklistItemDraft], before: Sequence[ChecklistItem] = (), *, make_id: Callable[[], str] = new_id
) -> list[ChecklistItem]:
    """The checklist that `drafts` ask for, where it was `before`.

    An item that names a check keeps its tick if it had it for the same check, and cannot be given one.

    Raises:
        Invalid: an id comes twice, an item with a check is sent ticked, or one without is to be red first.
    """
    known = {item.id: item for item in before}
    items: list[ChecklistItem] = []
    taken: set[str] = set()
    for index, draft in enumerate(drafts):
        if draft.id in taken:
            raise Invalid.field(f"checklist.{index}.id", "is the id of another item")
        item_id = draft.id or make_id()
        taken.add(item_id)
        done = draft.done
        if draft.red_first and draft.check is None:
            raise Invalid.field(f"checklist.{index}.red_first", NEEDS_A_CHECK)
        if draft.check is not None:
            old = known.get(item_id)
            proven = old is not None and old.done and _proves(old, draft.check, red_first=draft.red_first)
            if draft.done and not proven:
                raise Invalid.field(f"checklist.{index}.done", BY_EVIDENCE)
            done = proven
        items.append(
            ChecklistItem(id=item_id, text=draft.text, done=done, check=draft.check, red_first=draft.red_first)
        )
    return items


def with_default(
    items: Sequence[ChecklistItem], default: Sequence[ChecklistItem], *, make_id: Callable[[], str] = new_id
) -> list[ChecklistItem]:
    """A new task's checklist with the workspace's default one at its end, unticked and under ids of its own.

    Raises:
        Invalid: together they have more items than a checklist may.
    """
    if len(items) + len(default) > MOST:
        room = MOST - len(default)
        raise Invalid.field(
            "checklist", f"must have at most {room} items: the workspace adds {len(default)} of its own"
        )
    return [
        *items,
        *(ChecklistItem(id=make_id(), text=item.text, check=item.check, red_first=item.red_first) for item in default),
    ]


def edited(items: Sequence[ChecklistItem], item_id: str, edit: ItemEdit) -> list[ChecklistItem]:
    """The checklist with one item edited.

    Raises:
        NotFound: no item has this id.
        Invalid: the edit ticks or unticks an item that names a check, or an item without is to be red first.
    """
    at = next((index for index, item in enumerate(items) if item.id == item_id), None)
    if at is None:
        raise NotFound
    old = items[at]
    check = old.check if edit.check is UNSET else edit.check
    done = old.done if edit.done is UNSET else edit.done
    red_first = (old.red_first and check is not None) if edit.red_first is UNSET else edit.red_first
    if red_first and check is None:
        raise Invalid.field("red_first", NEEDS_A_CHECK)
    if check is not None:
        proven = old.done and _proves(old, check, red_first=red_first)
        if edit.done is not UNSET and edit.done != proven:
            raise Invalid.field("done", BY_EVIDENCE)
        done = proven
    text = old.text if edit.text is UNSET else edit.text
    new = replace(old, text=text, check=check, red_first=red_first, done=done)
    return [*items[:at], new, *items[at + 1 :]]


def _proves(old: ChecklistItem, check: str, *, red_first: bool) -> bool:
    """Whether the evidence that ticked an item is enough for it as it is wanted now."""
    return old.check == check and (old.red_first or not red_first)


def unproven(items: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """The checklist for another attempt: what evidence ticked is open again, what people ticked stays."""
    return [replace(item, done=False) if item.check is not None else item for item in items]
