"""What members may do to members: decided here, without I/O."""

from locus.server.auth.principals import ROLE_RANK
from locus.server.errors import Conflict, Forbidden
from locus.wire.workspaces import MemberRole

LAST_OWNER = "An organization needs an owner. Make somebody else an owner first."


def check_invitation(inviter: MemberRole, role: MemberRole) -> None:
    """Raise Forbidden when an invitation would give more than the inviter has, or the inviter may invite nobody."""
    _check_admin(inviter)
    _check_gift(inviter, role)


def check_role(actor: MemberRole, current: MemberRole, wanted: MemberRole, *, last_owner: bool) -> None:
    """Raise when `actor` may not turn a member who is `current` into `wanted`, or it would be the last owner's end."""
    _check_admin(actor)
    _check_reach(actor, current)
    _check_gift(actor, wanted)
    if last_owner and wanted is not MemberRole.OWNER:
        raise Conflict(LAST_OWNER, code="last_owner")


def check_removal(actor: MemberRole, current: MemberRole, *, last_owner: bool) -> None:
    """Raise when `actor` may not remove a member who is `current`."""
    _check_admin(actor)
    _check_reach(actor, current)
    check_leaving(last_owner=last_owner)


def check_leaving(*, last_owner: bool) -> None:
    """Raise Conflict for the last owner, who cannot leave."""
    if last_owner:
        raise Conflict(LAST_OWNER, code="last_owner")


def _check_admin(actor: MemberRole) -> None:
    if ROLE_RANK[actor] < ROLE_RANK[MemberRole.ADMIN]:
        raise Forbidden(f"You are {actor.value} here; this needs ADMIN.")


def _check_reach(actor: MemberRole, current: MemberRole) -> None:
    if ROLE_RANK[actor] < ROLE_RANK[current]:
        raise Forbidden(f"You are {actor.value} here and cannot change {current.value}s.")


def _check_gift(actor: MemberRole, wanted: MemberRole) -> None:
    if ROLE_RANK[actor] < ROLE_RANK[wanted]:
        raise Forbidden(f"You are {actor.value} here and cannot make anybody {wanted.value}.")
