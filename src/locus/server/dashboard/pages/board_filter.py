"""What a board shows, as its address says it: filters and groups. What an address says wrongly is ignored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from litestar.datastructures import MultiDict

from locus.server.dashboard import words
from locus.server.tasks.cards import Card
from locus.server.tasks.lists import Filter
from locus.server.tasks.store import LARGEST_NUMBER
from locus.wire.tasks import Priority, Role, Status

LONGEST = 200  # characters of a text that is looked for
T = TypeVar("T", bound=StrEnum)


class Group(StrEnum):
    """What a board can be cut into."""

    NONE = ""
    PRIORITY = "priority"
    ROLE = "role"
    ASSIGNEE = "assignee"
    SPRINT = "sprint"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The state of a board's filter bar."""

    text: str = ""
    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    role: tuple[Role, ...] = ()
    label: tuple[str, ...] = ()
    assignee: str = ""
    sprint: str = ""  # active, none, all or a number; empty: the active one, or all when none is
    group: Group = Group.NONE

    @property
    def narrowed(self) -> bool:
        """Whether something beside the sprint is asked for."""
        return bool(self.text or self.status or self.priority or self.role or self.label or self.assignee)

    def filter(self, active: int | None) -> Filter:
        """As the lists of tasks understand it; `active` is the number of the active sprint."""
        sprint = self.sprint or ("active" if active is not None else "all")
        return Filter(
            status=self.status,
            priority=self.priority,
            role=self.role,
            label=self.label,
            assignee=self.assignee or None,
            text=self.text or None,
            sprint=None if sprint == "all" else sprint,
        )

    def without(self, name: str, value: str) -> str:
        """The query of the same board without one value of its filter."""
        pairs = [(key, one) for key, one in self.pairs() if (key, one) != (name, value)]
        return "?" + urlencode(pairs) if pairs else "?"

    def pairs(self) -> list[tuple[str, str]]:
        """As the address has it."""
        many = [(name, str(value)) for name in ("status", "priority", "role", "label") for value in getattr(self, name)]
        single = [(name, str(getattr(self, name))) for name in ("text", "assignee", "sprint", "group")]
        return [*((name, value) for name, value in single if value), *many]

    def chips(self) -> list[tuple[str, str, str]]:
        """What is filtered by, to be taken away one by one: name, value, and what to call it."""
        said: dict[str, Mapping[Any, str]] = {"status": words.STATUS, "priority": words.PRIORITY, "role": words.ROLE}
        found = [(name, one.value, texts[one]) for name, texts in said.items() for one in getattr(self, name)]
        found += [("label", one, one) for one in self.label]
        return found + ([("assignee", self.assignee, f"for {self.assignee}")] if self.assignee else [])


def read(query: MultiDict[str]) -> Wish:
    """The wish that an address makes."""
    sprint = (query.get("sprint") or "").strip()
    numbered = sprint.isascii() and sprint.isdigit() and int(sprint[:11]) <= LARGEST_NUMBER
    group = query.get("group") or ""
    return Wish(
        text=_line(query.get("text")),
        status=_among(Status, query.getall("status", [])),
        priority=_among(Priority, query.getall("priority", [])),
        role=_among(Role, query.getall("role", [])),
        label=tuple(dict.fromkeys(one for one in map(_line, query.getall("label", [])[:20]) if one)),
        assignee=_line(query.get("assignee")),
        sprint=sprint if numbered or sprint in ("active", "none", "all") else "",
        group=Group(group) if group in list(Group) else Group.NONE,
    )


def lanes(cards: dict[Status, list[Card]], group: Group) -> list[tuple[str, dict[Status, list[Card]]]]:
    """The board cut into lanes, each with a title and its columns; one without a title when it is not cut."""
    if group is Group.NONE:
        return [("", cards)]
    found: dict[tuple[int, str], dict[Status, list[Card]]] = {}
    for status, column in cards.items():
        for card in column:
            lane = found.setdefault(_lane(card, group), {one: [] for one in Status})
            lane[status].append(card)
    return [(title, found[order, title]) for order, title in sorted(found)]


def _lane(card: Card, group: Group) -> tuple[int, str]:
    """Where a card's lane stands among the others, and its title."""
    if group is Group.PRIORITY:
        return list(Priority).index(card.priority), words.PRIORITY[card.priority]
    if group is Group.ROLE:
        return (99, "No role") if card.role is None else (list(Role).index(card.role), words.ROLE[card.role])
    if group is Group.ASSIGNEE:
        if card.assignee:
            return 1, card.assignee
        return (0, card.agent_name) if card.agent_name else (2, "For agents")
    number = card.sprint_number
    return (LARGEST_NUMBER, "No sprint") if number is None else (-number, f"Sprint {number}")


def _among(kind: type[T], given: Iterable[str]) -> tuple[T, ...]:
    known = {one.value: one for one in kind}
    return tuple(dict.fromkeys(known[value.upper()] for value in given if value.upper() in known))


def _line(given: str | None) -> str:
    return (given or "").replace("\0", "").strip()[:LONGEST]
