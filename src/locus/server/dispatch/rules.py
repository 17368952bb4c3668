"""What follows from the end of an attempt, and what a completion must prove. Tables and sums, no I/O."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from locus.server.errors import Conflict, Invalid
from locus.wire.tasks import BlockedReason, ChecklistItem
from locus.wire.work import Completion, Evidence, FailReason, Failure, Release, ReleaseReason

F = FailReason
B = BlockedReason


@dataclass(frozen=True)
class Consequence:
    """What a failure means for its task.

    `counted`: it uses up an attempt; otherwise the attempt is given back. `blocks`: the task waits for a person at
    once, since another attempt would only repeat it. `at_cap`: why it waits when no attempt is left.
    """

    counted: bool = True
    blocks: BlockedReason | None = None
    at_cap: BlockedReason = BlockedReason.ATTEMPTS_EXHAUSTED


AGAIN = Consequence()
GIVEN_BACK = Consequence(counted=False)

CONSEQUENCES: Mapping[FailReason, Consequence] = {
    F.AGENT_FAILED: AGAIN,
    F.AGENT_CRASHED: AGAIN,
    F.AGENT_SILENT: AGAIN,
    F.WALL_LIMIT: AGAIN,
    F.SETUP_FAILED: AGAIN,
    F.UNSTAGEABLE: AGAIN,  # what one attempt left behind, the next one need not
    F.LEASE_EXPIRED: AGAIN,
    F.CHECKS_FAILED: Consequence(at_cap=B.CHECKS_FAILED),
    # The next attempt starts from what the branch has become, so it usually fits.
    F.CONFLICT: Consequence(at_cap=B.CONFLICT),
    F.REFUSED: Consequence(blocks=B.NEEDS_INPUT),
    # A limit that a person has set: a person says whether the task may take more.
    F.BUDGET: Consequence(blocks=B.NEEDS_INPUT),
    F.NO_CHANGE: Consequence(blocks=B.NO_CHANGE),
    F.POLICY: Consequence(blocks=B.POLICY),
    F.PUSH_REFUSED: Consequence(blocks=B.PUSH_REFUSED),
    # A person stopped it. In the backlog the next worker would take it up at once.
    F.CANCELLED: Consequence(counted=False, blocks=B.MANUAL),
    F.PROVIDER_DOWN: GIVEN_BACK,
    F.USAGE_LIMIT: GIVEN_BACK,
    F.NOT_SIGNED_IN: GIVEN_BACK,
    F.AGENT_UNUSABLE: GIVEN_BACK,
    F.REMOTE_UNREACHABLE: GIVEN_BACK,
    F.DISK_FULL: GIVEN_BACK,
}

UNCOUNTED = frozenset(reason for reason, what in CONSEQUENCES.items() if not what.counted)


def consequence(reason: FailReason) -> Consequence:
    """What a worker's failure means.

    Raises:
        Invalid: a worker cannot know that reason.
    """
    if reason is F.LEASE_EXPIRED:
        raise Invalid.field("reason", "The server finds out itself that a lease has expired.")
    return CONSEQUENCES[reason]


def check_release(reason: ReleaseReason) -> None:
    """Refuse a reason that only the server can have."""
    if reason is ReleaseReason.UNDELIVERED:
        raise Invalid.field("reason", "Only the server knows that its answer reached nobody.")


@dataclass(frozen=True)
class Proof:
    """What evidence proves: the checks that are green, and those of them that were red without the change."""

    green: list[str]
    red_first: list[str]

    def missing(self, checklist: Iterable[ChecklistItem], required: Iterable[str]) -> list[str]:
        """The checks that a checklist or a workspace asks for and that are not proved, each once."""
        named = [item.check for item in checklist if item.check is not None]
        return [check for check in dict.fromkeys([*named, *required]) if check not in self.green]

    def not_red_first(self, checklist: Iterable[ChecklistItem]) -> list[str]:
        """The checks whose item asks for tests that fail without the change, and nobody has seen them fail."""
        named = [item.check for item in checklist if item.check is not None and item.red_first]
        return [check for check in dict.fromkeys(named) if check not in self.red_first]


def proof(completion: Completion) -> Proof:
    """What the evidence proves for exactly the completed commit.

    Raises:
        Invalid: the evidence contradicts itself or is about another commit.
        Conflict: a check is red; such a task is failed, not completed.
    """
    check_evidence(completion.evidence)
    for place, item in enumerate(completion.evidence):
        if item.commit != completion.commit:
            raise Invalid.field(f"evidence.{place}.commit", "It must be the commit that is completed.")
    red = list(dict.fromkeys(item.check for item in completion.evidence if not item.passed))
    if red:
        raise Conflict(f"Checks are red: {', '.join(red)}. Report the attempt as failed.", code="evidence_red")
    return Proof(
        green=list(dict.fromkeys(item.check for item in completion.evidence)),
        red_first=list(dict.fromkeys(item.check for item in completion.evidence if item.red_first)),
    )


def check_evidence(evidence: Iterable[Evidence]) -> None:
    """Refuse a check that is said to have passed although it failed or executed no test."""
    for place, item in enumerate(evidence):
        if item.passed and item.exit_code != 0:
            raise Invalid.field(f"evidence.{place}.passed", f"A check that ended with {item.exit_code} has not passed.")
        if item.passed and item.tests == 0:
            raise Invalid.field(f"evidence.{place}.passed", "A check that executed no test has not passed.")


def fingerprint(report: Completion | Failure | Release) -> bytes:
    """The same for the same report sent twice, and for nothing else.

    The summary is not part of it: it may be deleted later, and then nothing may be left to try guesses on. A report
    that was refused for its summary is the same without.
    """
    if isinstance(report, Completion):
        report = msgspec.structs.replace(report, summary=msgspec.UNSET)
    return hashlib.sha256(type(report).__name__.encode() + b"\0" + msgspec.json.encode(report)).digest()
