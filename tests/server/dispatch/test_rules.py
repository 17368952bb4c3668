"""What follows from the end of an attempt."""

import msgspec
import pytest
from tests.server.dispatch.ground import completion, evidence, failure, giving_back

from locus.server.dispatch import rules
from locus.server.errors import Conflict, Invalid
from locus.wire.tasks import BlockedReason as B
from locus.wire.work import FailReason as F, ReleaseReason

BLOCKS_AT_ONCE = {
    F.NO_CHANGE: B.NO_CHANGE,
    F.POLICY: B.POLICY,
    F.REFUSED: B.NEEDS_INPUT,
    F.BUDGET: B.NEEDS_INPUT,
    F.PUSH_REFUSED: B.PUSH_REFUSED,
    F.CANCELLED: B.MANUAL,
}
NOT_COUNTED = {
    F.CANCELLED,
    F.PROVIDER_DOWN,
    F.USAGE_LIMIT,
    F.NOT_SIGNED_IN,
    F.AGENT_UNUSABLE,
    F.REMOTE_UNREACHABLE,
    F.DISK_FULL,
}
AT_CAP = {F.CHECKS_FAILED: B.CHECKS_FAILED, F.CONFLICT: B.CONFLICT}


@pytest.mark.parametrize("reason", F)
def test_every_reason_has_exactly_the_consequence_that_the_specification_lists(reason: F) -> None:
    what = rules.CONSEQUENCES[reason]

    assert what.blocks == BLOCKS_AT_ONCE.get(reason)
    assert what.counted == (reason not in NOT_COUNTED)
    assert what.at_cap == AT_CAP.get(reason, B.ATTEMPTS_EXHAUSTED)


def test_a_worker_cannot_say_that_its_lease_expired() -> None:
    with pytest.raises(Invalid) as refused:
        rules.consequence(F.LEASE_EXPIRED)

    assert [error.field for error in refused.value.errors] == ["reason"]


def test_a_worker_cannot_say_that_the_servers_answer_was_undelivered() -> None:
    with pytest.raises(Invalid):
        rules.check_release(ReleaseReason.UNDELIVERED)


def test_green_evidence_of_the_commit_proves_its_checks() -> None:
    assert rules.proof(completion(1, "tests", "lint", "tests")).green == ["tests", "lint"]


def test_evidence_of_another_commit_is_refused_by_its_place() -> None:
    report = completion(1, "lint", evidence=[evidence("lint"), evidence("tests", commit="b" * 40)])

    with pytest.raises(Invalid) as refused:
        rules.proof(report)

    assert [error.field for error in refused.value.errors] == ["evidence.1.commit"]


def test_one_red_check_among_green_ones_is_refused_by_name() -> None:
    report = completion(1, evidence=[evidence("lint"), evidence("tests", passed=False)])

    with pytest.raises(Conflict, match="tests") as refused:
        rules.proof(report)

    assert refused.value.code == "evidence_red"


@pytest.mark.parametrize("wrong", [{"exit_code": 1}, {"tests": 0}])
def test_a_check_that_failed_or_ran_no_test_cannot_be_called_passed(wrong: dict[str, int]) -> None:
    contradiction = msgspec.structs.replace(evidence(), **wrong)

    with pytest.raises(Invalid) as refused:
        rules.check_evidence([evidence("lint"), contradiction])

    assert [error.field for error in refused.value.errors] == ["evidence.1.passed"]


def test_a_fingerprint_tells_reports_apart_by_kind_and_by_content() -> None:
    reports = [completion(1), completion(2), failure(1), failure(1, F.BUDGET), giving_back(1)]

    prints = {rules.fingerprint(report) for report in reports}

    assert len(prints) == len(reports)
    assert rules.fingerprint(completion(1)) == rules.fingerprint(completion(1))
