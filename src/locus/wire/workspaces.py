"""Organizations, workspaces and the keys that open them."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from locus.wire.base import Answer, CheckName, Moment, Name, Prefix, Request
from locus.wire.tasks import Checklist, ChecklistItem


class Organization(Answer, frozen=True, kw_only=True):
    id: UUID
    name: str
    created_at: Moment


class OrganizationEdit(Request, frozen=True, kw_only=True):
    name: Name


class Workspace(Answer, frozen=True, kw_only=True):
    id: UUID
    organization_id: UUID
    name: str
    prefix: str  # of task keys: AUTH in AUTH-12
    default_checklist: list[ChecklistItem]
    attempt_cap: int
    required_checks: list[str]  # without whose green evidence no agent's work goes to review
    daily_budget_usd_micros: int | None = None  # what it means to spend in 24 hours; null: nobody has said
    budget_stops: bool = False  # agents get no task while the budget is spent
    summaries: bool = False  # agents' words about finished work are taken and shown; off deletes what there is
    version: int
    created_at: Moment
    updated_at: Moment


RequiredChecks = Annotated[list[CheckName], Meta(max_length=50)]
AttemptCap = Annotated[int, Meta(ge=1, le=20)]
Budget = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]


class WorkspaceDraft(Request, frozen=True, kw_only=True):
    name: Name
    prefix: Prefix


class WorkspaceEdit(Request, frozen=True, kw_only=True):
    name: Name | UnsetType = UNSET
    default_checklist: Checklist | UnsetType = UNSET
    attempt_cap: AttemptCap | UnsetType = UNSET
    required_checks: RequiredChecks | UnsetType = UNSET
    daily_budget_usd_micros: Budget | None | UnsetType = UNSET
    budget_stops: bool | UnsetType = UNSET
    summaries: bool | UnsetType = UNSET


class Purpose(StrEnum):
    """What a key is for; each may do what the one before it may, and more."""

    READ = "read"  # look
    WORKER = "worker"  # look, claim tasks and report on them
    MEMBER = "member"  # plan: tasks, sprints, docs
    ADMIN = "admin"  # the organization: workspaces and keys


class MemberRole(StrEnum):
    """What a member of an organization may do; each may do what the one after it may, and more."""

    OWNER = "OWNER"  # the organization itself: its owners, its end
    ADMIN = "ADMIN"  # workspaces, keys and members
    MEMBER = "MEMBER"  # plan and decide: tasks, sprints, docs
    VIEWER = "VIEWER"  # look


class ApiKey(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID | None  # null: every workspace of the organization
    name: str
    purpose: Purpose
    hint: str  # its first characters, to tell keys apart
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


KeyDays = Annotated[int, Meta(ge=1, le=365)]


class ApiKeyDraft(Request, frozen=True, kw_only=True):
    name: Name
    purpose: Purpose = Purpose.WORKER
    expires_in_days: KeyDays | None = 90


class ApiKeyCreated(Answer, frozen=True, kw_only=True):
    """The only answer that ever holds the secret."""

    key: ApiKey
    secret: str


class Me(Answer, frozen=True, kw_only=True):
    """Who the server takes the caller for."""

    key_id: UUID  # of the key, or of the person who is signed in
    name: str
    purpose: Purpose
    organization: Organization
    workspace: Workspace | None
    expires_at: Moment | None
    server_version: str
    role: MemberRole | None = None  # of a person; a key has none
