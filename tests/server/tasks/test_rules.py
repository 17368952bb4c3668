"""The table of transitions, and the sums beside it."""

from itertools import pairwise, product
from uuid import UUID, uuid4

import pytest
from hypothesis import given, strategies as st

from locus.server.errors import Conflict, Invalid
from locus.server.tasks import rules
from locus.wire.events import ActorKind
from locus.wire.tasks import BlockedReason, ChecklistItem, Status

P, W, X = ActorKind.PERSON, ActorKind.WORKER, ActorKind.SYSTEM
BACKLOG, IN_PROGRESS, IN_REVIEW, DONE, BLOCKED = Status

# Written out a second time on purpose: a slip in the table of the product is a red test.
ALLOWED = {
    (P, BACKLOG, IN_PROGRESS),
    (P, BACKLOG, DONE),
    (P, BACKLOG, BLOCKED),
    (P, IN_PROGRESS, BACKLOG),
    (P, IN_PROGRESS, IN_REVIEW),
    (P, IN_PROGRESS, DONE),
    (P, IN_PROGRESS, BLOCKED),
    (P, IN_REVIEW, BACKLOG),
    (P, IN_REVIEW, DONE),
    (P, DONE, BACKLOG),
    (P, BLOCKED, BACKLOG),
    (P, BLOCKED, DONE),
    (W, BACKLOG, IN_PROGRESS),
    (W, IN_PROGRESS, BACKLOG),
    (W, IN_PROGRESS, IN_REVIEW),
    (W, IN_PROGRESS, BLOCKED),
    (X, IN_PROGRESS, BACKLOG),
    (X, IN_PROGRESS, BLOCKED),
}


@pytest.mark.parametrize(("actor", "current", "wanted"), list(product(ActorKind, Status, Status)))
def test_only_the_listed_transitions_happen(actor: ActorKind, current: Status, wanted: Status) -> None:
    if (actor, current, wanted) in ALLOWED:
        rules.check_transition(actor, current, wanted)
    else:
        with pytest.raises(Conflict) as refusal:
            rules.check_transition(actor, current, wanted)
        assert refusal.value.code == "transition_refused"


@pytest.mark.parametrize(("current", "wanted"), list(product(Status, Status)))
def test_only_a_rejection_needs_feedback(current: Status, wanted: Status) -> None:
    if (current, wanted) in {(IN_REVIEW, BACKLOG), (DONE, BACKLOG)}:
        with pytest.raises(Invalid, match="feedback"):
            rules.check_feedback(current, wanted, None)
    else:
        rules.check_feedback(current, wanted, None)
    rules.check_feedback(current, wanted, "The button is missing.")
    with pytest.raises(Invalid, match="feedback"):
        rules.check_feedback(current, wanted, " \n")


@pytest.mark.parametrize("reason", BlockedReason)
def test_people_block_with_their_own_reasons_only(reason: BlockedReason) -> None:
    if reason.value in {"manual", "needs_input", "dependency", "policy"}:
        assert rules.blocked_reason(BLOCKED, reason) is reason
    else:
        with pytest.raises(Invalid, match="reason"):
            rules.blocked_reason(BLOCKED, reason)
    with pytest.raises(Invalid, match="reason"):
        rules.blocked_reason(BACKLOG, reason)


def test_blocking_without_a_reason_is_manual_and_other_statuses_have_none() -> None:
    assert rules.blocked_reason(BLOCKED, None) is BlockedReason.MANUAL
    assert rules.blocked_reason(BACKLOG, None) is None


PROVEN_BY_UNIT = ChecklistItem(id="a", text="Works", check="unit", done=True)
BY_HAND = ChecklistItem(id="b", text="Looks good")


def test_a_check_without_green_evidence_is_never_waived() -> None:
    with pytest.raises(Conflict, match="unit") as refusal:
        rules.check_accepted([PROVEN_BY_UNIT], frozenset({"lint"}), force=True)

    assert refusal.value.code == "checks_unproven"
    rules.check_accepted([PROVEN_BY_UNIT], frozenset({"unit"}), force=False)


def test_an_open_item_of_a_person_is_waived_by_force_only() -> None:
    with pytest.raises(Conflict) as refusal:
        rules.check_accepted([BY_HAND], frozenset(), force=False)

    assert refusal.value.code == "items_open"
    rules.check_accepted([BY_HAND], frozenset(), force=True)


def node(number: int) -> UUID:
    return UUID(int=number)


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_a_cycle_is_found_exactly_when_there_is_one(edges: set[tuple[int, int]]) -> None:
    reached = {there for here, there in edges if here == 0}
    while more := {there for here, there in edges if here in reached} - reached:
        reached |= more

    found = rules.cycle([(node(here), node(there)) for here, there in edges], node(0))

    assert bool(found) == (0 in reached)
    if found:
        assert found[0] == found[-1] == node(0)
        assert all((here.int, there.int) in edges for here, there in pairwise(found))
        assert len(set(found[1:])) == len(found) - 1


positions = st.floats(allow_nan=False, allow_infinity=False)


@given(st.none() | positions, st.none() | positions, st.integers(1, 100))
def test_places_grow_strictly_between_their_neighbours(low: float | None, high: float | None, count: int) -> None:
    found = rules.places(low, high, count)

    if found is not None:
        ladder = [*([] if low is None else [low]), *found, *([] if high is None else [high])]
        assert len(found) == count
        assert all(one < other for one, other in pairwise(ladder))


@given(st.integers(-1000, 1000), st.integers(1, 1000), st.integers(1, 100))
def test_there_is_a_place_between_whole_numbers(low: int, gap: int, count: int) -> None:
    assert rules.places(float(low), float(low + gap), count) is not None


def test_a_used_up_gap_has_no_place() -> None:
    assert rules.places(1.0, 1.0000000000000002, 1) is None
    assert rules.places(1.0, 1.0, 1) is None


def test_ids_of_a_cycle_may_be_any() -> None:
    one, two = uuid4(), uuid4()
    assert rules.cycle([(one, two), (two, one)], one) == [one, two, one]
    assert rules.cycle([(one, one)], one) == [one, one]
