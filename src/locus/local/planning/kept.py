"""The plans of a repository on this machine, by number: what was proposed, what was said of it, what became of it."""

# No `from __future__ import annotations`: msgspec reads them.

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.context.documents import Document
from locus.local.errors import LocalError
from locus.local.sessions.folder import Folder
from locus.wire.plans import Plan, PlanDraft

NAME = re.compile(r"([1-9][0-9]{0,5})\.json")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class State(StrEnum):
    PROPOSED = "proposed"
    SENT = "sent"  # to the control plane, for somebody there to decide
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OPEN = frozenset({State.PROPOSED, State.SENT})


class Kept(Struct, kw_only=True):
    """One plan. `id` is its name at the control plane, made before it is sent: sending twice is sending once."""

    number: int
    id: UUID
    goal: str
    state: State
    draft: PlanDraft
    provider: str
    session: str
    created_at: Moment
    updated_at: Moment
    source: str | None = None
    model: str | None = None
    earlier: int | None = None
    """The plan that this one was made instead of."""
    feedback: list[str] = []
    """All that was said against this one and the ones before it."""
    tokens: int = 0
    usd: float | None = None
    sprint: int | None = None
    """The number of the sprint that it became."""
    asked: bool = False
    """Whether the control plane was asked something about it, and no answer came: it may be there, or a sprint."""
    there: int | None = None
    """Its version at the control plane that it was last seen in, or sent as; None when it is not there."""
    elsewhere: bool = False
    """Whether it was made on another machine, and is kept here as it waits at the control plane."""


class NoSuchPlan(LocalError):
    """There is no plan of that number, or none that this can be done with."""


class Plans:
    """The plans of one repository."""

    def __init__(self, folder: Folder) -> None:
        self._place = folder.plans

    def numbers(self) -> list[int]:
        if not self._place.is_dir():
            return []
        return sorted(int(found[1]) for path in self._place.iterdir() if (found := NAME.fullmatch(path.name)))

    def all(self) -> list[Kept]:
        """Every plan, the newest first."""
        return [self._load(number) for number in reversed(self.numbers())]

    def find(self, wanted: str | None, *states: State) -> Kept:
        """The plan of that number; without one, the newest that is in one of `states` (none: in any).

        Raises NoSuchPlan.
        """
        if wanted is not None:
            if not re.fullmatch(r"#?[1-9][0-9]{0,5}", wanted.strip()):
                raise NoSuchPlan(f"{wanted!r} is no number of a plan.", remedy="See: locus plan --list")
            return self._load(int(wanted.strip().lstrip("#")))
        for plan in self.all():
            if not states or plan.state in states:
                return plan
        words = " or ".join(state.value for state in states)
        raise NoSuchPlan(
            f"There is no plan that is {words}." if states else "There is no plan yet.",
            remedy='Make one: locus plan "What should be better"',
        )

    def add(
        self,
        *,
        goal: str,
        draft: PlanDraft,
        provider: str,
        session: str,
        model: str | None = None,
        source: str | None = None,
        document: Document | None = None,
        earlier: Kept | None = None,
        tokens: int = 0,
        usd: float | None = None,
    ) -> Kept:
        """Keep a new plan under the next number."""
        now = datetime.now(UTC)
        with files.locked(self._lock):
            plan = Kept(
                number=max(self.numbers(), default=0) + 1,
                id=uuid4(),
                goal=goal,
                state=State.PROPOSED,
                draft=draft,
                provider=provider,
                session=session,
                created_at=now,
                updated_at=now,
                source=source,
                model=model,
                earlier=earlier.number if earlier else None,
                feedback=list(earlier.feedback) if earlier else [],
                tokens=tokens,
                usd=usd,
            )
            if document is not None:
                files.write(self._document(plan), msgspec.json.encode(document).decode())
            self._write(plan)
        return plan

    def document(self, plan: Kept) -> Document | None:
        """What a plan was made from, as it was then. Raises LocalError when that is not here any more."""
        if plan.source is None:
            return None
        text = files.read_private(self._document(plan))
        if text is None:
            raise LocalError(
                f"What plan {plan.number} was made from is not kept here.",
                remedy=f"Plan anew: locus plan --from {plan.source}",
            )
        return msgspec.json.decode(text, type=Document)

    def adopt(self, waiting: Plan) -> Kept:
        """Keep a plan that waits at the control plane and was made elsewhere, so that it has a number here."""
        now = datetime.now(UTC)
        with files.locked(self._lock):
            plan = Kept(
                number=max(self.numbers(), default=0) + 1,
                id=waiting.id,
                goal=waiting.draft.goal.strip().split("\n")[0][:200] or waiting.draft.name,
                state=State.SENT,
                draft=waiting.draft,
                provider=f"sent by {waiting.proposed_by}",
                session="",
                created_at=waiting.created_at,
                updated_at=now,
                there=waiting.version,
                elsewhere=True,
            )
            self._write(plan)
        return plan

    def unanswered(self) -> Kept | None:
        """The plan that was rejected last, of those that no other was made instead of."""
        plans = self.all()
        answered = {plan.earlier for plan in plans}
        rejected = [one for one in plans if one.state is State.REJECTED and one.number not in answered]
        return max(rejected, key=lambda one: one.updated_at, default=None)

    def save(self, plan: Kept) -> None:
        """Write a plan down, whole or not at all. Raises LocalError."""
        with files.locked(self._lock):
            self._write(plan)

    def save_as_read(self, plan: Kept) -> bool:
        """Write a plan down if nobody has changed it since it was read; returns whether. Raises LocalError."""
        with files.locked(self._lock):
            if self._load(plan.number).updated_at != plan.updated_at:
                return False
            self._write(plan)
        return True

    @property
    def _lock(self) -> Path:
        return self._place / "number"

    def _write(self, plan: Kept) -> None:
        plan.updated_at = datetime.now(UTC)
        files.write(self._path(plan.number), msgspec.json.format(msgspec.json.encode(plan)).decode())

    def _path(self, number: int) -> Path:
        return self._place / f"{number}.json"

    def _document(self, plan: Kept) -> Path:
        return self._place / f"{plan.number}.from"

    def _load(self, number: int) -> Kept:
        path = self._path(number)
        text = files.read_private(path)
        if text is None:
            raise NoSuchPlan(f"There is no plan {number} here.", remedy="See: locus plan --list")
        try:
            return msgspec.json.decode(text, type=Kept)
        except msgspec.MsgspecError as e:
            raise LocalError(f"{path} cannot be read as a plan: {e}.", remedy=f"Mend it, or remove {path}.") from e
