"""Principal: the one thing the server knows about whoever sent a request."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from locus.server.errors import Forbidden, NotFound
from locus.wire.events import ActorKind
from locus.wire.workspaces import MemberRole, Purpose

# Each purpose may do what the ones before it may.
RANK = {Purpose.READ: 0, Purpose.WORKER: 1, Purpose.MEMBER: 2, Purpose.ADMIN: 3}
# The same for roles, and the purpose of a key that may do as much in the workspaces.
ROLE_RANK = {MemberRole.VIEWER: 0, MemberRole.MEMBER: 1, MemberRole.ADMIN: 2, MemberRole.OWNER: 3}
PURPOSE = {
    MemberRole.VIEWER: Purpose.READ,
    MemberRole.MEMBER: Purpose.MEMBER,
    MemberRole.ADMIN: Purpose.ADMIN,
    MemberRole.OWNER: Purpose.ADMIN,
}
LEAST_ROLE = {
    Purpose.READ: MemberRole.VIEWER,
    Purpose.WORKER: MemberRole.MEMBER,
    Purpose.MEMBER: MemberRole.MEMBER,
    Purpose.ADMIN: MemberRole.ADMIN,
}


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The holder of an API key, or a person who is signed in (then `role` says as what, and `id` is the person's).

    `workspace_id` is None for whoever may enter every workspace of the organization.
    """

    id: UUID
    name: str
    purpose: Purpose
    organization_id: UUID
    workspace_id: UUID | None
    # Every workspace this principal may enter, so that a foreign one is "not found" without a query.
    workspaces: frozenset[UUID]
    expires_at: datetime | None = None
    role: MemberRole | None = None  # None: a key
    session_id: UUID | None = None

    @property
    def is_person(self) -> bool:
        return self.role is not None

    @property
    def actor_kind(self) -> ActorKind:
        return ActorKind.WORKER if self.purpose is Purpose.WORKER else ActorKind.PERSON

    def enter(self, workspace_id: UUID, needed: Purpose) -> None:
        """Raise NotFound for a foreign workspace, Forbidden for a key or a person that may do less than `needed`."""
        if workspace_id not in self.workspaces:
            raise NotFound
        self.require(needed)

    def may(self, needed: Purpose) -> bool:
        """Whether this covers `needed`; a page shows only what its reader may do."""
        return RANK[self.purpose] >= RANK[needed]

    def require(self, needed: Purpose) -> None:
        """Raise Forbidden for a key or a person that may do less than `needed`."""
        if self.may(needed):
            return
        if self.role is not None:
            raise Forbidden(f"You are {self.role.value} here; this needs {LEAST_ROLE[needed].value}.")
        raise Forbidden(f"This key is for {self.purpose.value}; this needs a key for {needed.value}.")

    def require_role(self, needed: MemberRole) -> MemberRole:
        """The role of a person who has at least `needed`; Forbidden for less, and for every key."""
        if self.role is None:
            raise Forbidden("This needs a person who is signed in, not a key.", code="needs_person")
        if ROLE_RANK[self.role] < ROLE_RANK[needed]:
            raise Forbidden(f"You are {self.role.value} here; this needs {needed.value}.")
        return self.role


@dataclass(frozen=True, kw_only=True)
class Membership:
    """One organization of a person."""

    organization_id: UUID
    organization_name: str
    role: MemberRole
    workspaces: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is signed in with a browser, with every organization they belong to, of which there may be none."""

    id: UUID
    name: str
    email: str | None
    session_id: UUID
    organization_id: UUID | None  # the one they look at
    memberships: tuple[Membership, ...] = field(default=())

    def principal(self, workspace_id: UUID | None = None) -> Principal | None:
        """This person in the organization that has the workspace, else in the one they look at, else in their first.

        None when they belong to no organization.
        """
        found = self.membership(workspace_id)
        if found is None:
            return None
        return Principal(
            id=self.id,
            name=self.name,
            purpose=PURPOSE[found.role],
            organization_id=found.organization_id,
            workspace_id=None,
            workspaces=found.workspaces,
            role=found.role,
            session_id=self.session_id,
        )

    def membership(self, workspace_id: UUID | None = None) -> Membership | None:
        """The membership that `principal` speaks for."""
        if workspace_id is not None:
            for one in self.memberships:
                if workspace_id in one.workspaces:
                    return one
        for one in self.memberships:
            if one.organization_id == self.organization_id:
                return one
        return self.memberships[0] if self.memberships else None
