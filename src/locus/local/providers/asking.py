"""What an agent asks before it acts, in a form that does not depend on which agent it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What somebody answers."""

    ONCE = "once"
    RUN = "run"
    """Yes, and to everything in the scope that was shown, until the run ends."""
    NO = "no"


class Wanted(Struct, frozen=True):
    """The agent wants to use a tool and waits for an answer. What it says of itself is not to be trusted."""

    tool: str
    what: str
    """All of what it would do: the command, the file."""
    scope: tuple[str, ...]
    """What a yes for the run would allow, in the provider's own rules; nothing when there is only a yes for once."""
    folders: tuple[str, ...]
    """Folders outside of its tree that such a yes would open to its edits."""
    replies: dict[Verdict, bytes]
    """What the agent gets to read for each answer."""

    @property
    def for_run(self) -> bool:
        """Whether there is something that a yes for the run could mean."""
        return Verdict.RUN in self.replies


class Listening(Struct, frozen=True):
    """The agent has done what it was asked, and would listen for more."""


class Asking(Struct, frozen=True):
    """Somebody can be asked during this run: the agent's commands need a yes.

    `rules` and `folders` have been allowed for the whole run already.
    """

    decide: Callable[[Wanted], Awaitable[Verdict]]
    rules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
