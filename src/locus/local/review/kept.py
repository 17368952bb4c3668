"""The reviews of a repository on this machine: one for each head commit of what was reviewed."""

# No `from __future__ import annotations`: msgspec reads them.

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.local.replay.redaction import Redaction
from locus.local.review.answer import GRAVE, Finding, Opinion, Verdict
from locus.local.sessions.folder import Folder

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Kept(Struct, kw_only=True):
    """One review. `head` is the commit that was reviewed, None for changes that are in no commit yet."""

    what: str
    number: int | None = None
    branch: str | None = None
    head: str | None = None
    base: str | None = None
    verdict: Verdict
    summary: str
    findings: list[Finding] = []
    left_out: list[str] = []
    """Files of which the reviewer was not shown everything."""
    provider: str
    model: str | None = None
    session: str
    at: Moment
    tokens: int = 0
    usd: float | None = None
    event: str | None = None
    """As what it was posted: APPROVE, COMMENT or REQUEST_CHANGES."""
    url: str | None = None
    artifact: str | None = None
    """The file that it was written to, below the checkout."""

    @property
    def objection(self) -> str | None:
        """Why it is no green light, in a few words; None when it is one."""
        if self.verdict is Verdict.REQUEST_CHANGES:
            many = len(self.findings)
            return f"changes are requested, with {many} finding{'s' * (many != 1)}"
        if any(finding.severity in GRAVE for finding in self.findings):
            return "a finding is high or critical"
        if self.left_out:
            many = len(self.left_out)
            return f"the change is too long to be reviewed: {many} file{'s' * (many != 1)} not shown, or not wholly"
        return None


def without_secrets(opinion: Opinion, environment: Mapping[str, str]) -> Opinion:
    """The same opinion without secrets that the reviewer may have quoted."""
    hide = Redaction(environment, {}).content
    for finding in opinion.findings:
        finding.title, finding.detail = hide(finding.title), hide(finding.detail)
        if finding.suggestion is not None and hide(finding.suggestion) != finding.suggestion:
            finding.suggestion = None
    opinion.summary = hide(opinion.summary)
    return opinion


class Reviews:
    """The reviews of one repository."""

    def __init__(self, folder: Folder) -> None:
        self._place = folder.place / "reviews"

    def find(self, branch: str, head: str) -> Kept | None:
        """The review of a branch at this commit. One that cannot be read counts as none: it is made again."""
        text = files.read_private(self._path(branch, head))
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=Kept)
        except msgspec.MsgspecError:
            return None

    def save(self, review: Kept) -> None:
        """Write a review of a commit down, whole or not at all. Raises LocalError."""
        if review.branch is None or review.head is None:
            raise LocalError("Only the review of a commit is remembered.")
        text = msgspec.json.format(msgspec.json.encode(review)).decode()
        files.write(self._path(review.branch, review.head), text)

    def _path(self, branch: str, head: str) -> Path:
        name = hashlib.sha256(branch.encode(errors="surrogateescape")).hexdigest()[:16]
        return self._place / f"{name}-{head}.json"


def now() -> datetime:
    """When a review is made."""
    return datetime.now(UTC)
