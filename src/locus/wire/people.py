"""People: members of an organization, what they may do, how they come in and what they did."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from locus.wire.base import Answer, Moment, Name, Request
from locus.wire.workspaces import MemberRole, Purpose

# One address, in lower case; nothing that could be a second recipient or a header.
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$(?!\n)",
    ),
]


class Member(Answer, frozen=True, kw_only=True):
    user_id: UUID
    name: str
    email: str | None
    role: MemberRole
    joined_at: Moment
    last_seen_at: Moment | None  # with a browser


class RoleChange(Request, frozen=True, kw_only=True):
    role: MemberRole


class Invitation(Answer, frozen=True, kw_only=True):
    """An invitation that waits. Its link is only in the mail."""

    id: UUID
    email: str
    role: MemberRole
    invited_by: str | None
    created_at: Moment
    expires_at: Moment


class InvitationDraft(Request, frozen=True, kw_only=True):
    email: Email
    role: MemberRole = MemberRole.MEMBER


class Session(Answer, frozen=True, kw_only=True):
    """A browser that somebody is signed in with."""

    id: UUID
    method: str  # link, code, github or google
    browser: str
    address: str
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    current: bool  # the one that asks


class AuditEntry(Answer, frozen=True, kw_only=True):
    id: int
    action: str
    actor_kind: str  # person, key or system
    actor_name: str
    address: str
    subject: str
    detail: str
    created_at: Moment


class DeviceRequest(Request, frozen=True, kw_only=True):
    """A machine asks to be let in; the person who does so sees this name."""

    machine: Name


class DeviceCode(Answer, frozen=True, kw_only=True):
    """`device` is for the machine alone; the person compares `code` on the page at `url`."""

    device: str
    code: str
    url: str
    expires_in_s: int
    poll_s: int


DeviceSecret = Annotated[str, Meta(min_length=43, max_length=43, pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]


class DevicePoll(Request, frozen=True, kw_only=True):
    device: DeviceSecret


class DeviceState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    GONE = "gone"  # too old, or used


class DeviceAnswer(Answer, frozen=True, kw_only=True):
    """`secret` is there once: in the first answer after the approval."""

    state: DeviceState
    secret: str | None = None
    purpose: Purpose | None = None
