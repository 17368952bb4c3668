"""Docs: what people wrote down for each other and for the agents."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from locus.wire.base import Answer, Count, DocText, Moment, Request, Title

# A line, or nothing: a doc need not be in a group.
Group = Annotated[str, Meta(max_length=100, pattern=r"^(?:[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*)?$(?!\n)")]


class DocKind(StrEnum):
    GENERAL = "GENERAL"
    PRD = "PRD"
    TECH_SPEC = "TECH_SPEC"
    ADR = "ADR"
    API_DESIGN = "API_DESIGN"


class DocRef(Answer, frozen=True, kw_only=True):
    """A doc without its text."""

    id: UUID
    title: str
    kind: DocKind
    group: str = ""
    version: int
    updated_at: Moment


class Doc(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID
    title: str
    kind: DocKind
    group: str  # empty: in none
    text: str
    version: int
    created_at: Moment
    updated_at: Moment


class DocDraft(Request, frozen=True, kw_only=True):
    title: Title
    kind: DocKind = DocKind.GENERAL
    group: Group = ""
    text: DocText = ""


class DocEdit(Request, frozen=True, kw_only=True):
    title: Title | UnsetType = UNSET
    kind: DocKind | UnsetType = UNSET
    group: Group | UnsetType = UNSET
    text: DocText | UnsetType = UNSET


class DocGroupRename(Request, frozen=True, kw_only=True):
    """Gives every doc of a group another one; the empty name takes them out of it."""

    old: Title
    new: Group


class DocGroup(Answer, frozen=True, kw_only=True):
    """A group is there as long as a doc is in it. The empty name stands for the docs in none."""

    name: str
    docs: Count


class DocGroups(Answer, frozen=True, kw_only=True):
    groups: list[DocGroup]


class DocVersion(Answer, frozen=True, kw_only=True):
    """What a doc was after an edit, without its text."""

    version: int
    title: str
    kind: DocKind
    author_name: str
    created_at: Moment


class OldDoc(Answer, frozen=True, kw_only=True):
    """What a doc was after an edit."""

    version: int
    title: str
    kind: DocKind
    text: str
    author_name: str
    created_at: Moment
