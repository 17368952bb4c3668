"""What every forge can do, what it is given, and the closed list of ways in which it fails."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from locus.local.errors import LocalError


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"
    WRITTEN = "written"
    """There is no forge: the description lies in a file."""


class PullRequest(Struct, frozen=True):
    """A pull request; without a forge it has a file instead of a number and a URL."""

    number: int | None
    url: str | None
    state: State
    path: Path | None = None


class Proposal(Struct, frozen=True):
    """What is asked of the reviewers: to take `head` into `base`. Both are names of branches."""

    head: str
    base: str
    title: str
    body: str


class Rights(Struct, frozen=True):
    """What the forge says that we may do. None where it does not say."""

    push: bool | None
    remedy: str | None = None


class Reason(StrEnum):
    AUTH = "auth"
    """No token, or one that the forge does not accept."""
    FORBIDDEN = "forbidden"
    """The token is good, and may not do this."""
    EXISTS = "exists"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    """The forge understood, and refuses: nothing to merge, no such branch."""
    UNREACHABLE = "unreachable"
    """No answer, too late an answer, or one that says to come back later."""
    OTHER = "other"


class ForgeError(LocalError):
    """The forge did not do it. The commits are on the remote all the same."""

    def __init__(
        self, message: str, *, reason: Reason, remedy: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which it is worth another try, when the forge says so."""

    @property
    def passes(self) -> bool:
        """Whether trying again later can help without anybody doing anything."""
        return self.reason in (Reason.RATE_LIMITED, Reason.UNREACHABLE)


class Forge(Protocol):
    """One repository on one forge. Every method raises ForgeError."""

    @property
    def name(self) -> str:
        """What the forge is called in a sentence."""

    async def find(self, head: str) -> PullRequest | None:
        """Return the open pull request of a branch of this repository, or None."""

    async def create(self, proposal: Proposal) -> PullRequest:
        """Open a pull request, never as a draft."""

    async def update(self, pull: PullRequest, proposal: Proposal) -> PullRequest:
        """Give a pull request the title and the body of the proposal."""

    async def rights(self) -> Rights:
        """Say whether pushing and opening pull requests is allowed, as far as the forge tells."""


async def propose(forge: Forge, proposal: Proposal) -> PullRequest:
    """Make sure that there is one pull request for the branch, with this title and body. Safe to repeat.

    Raises ForgeError.
    """
    pull = await forge.find(proposal.head)
    if pull is None:
        try:
            return await forge.create(proposal)
        except ForgeError as e:
            # Another worker was faster, or an answer of an earlier try of ours was lost.
            if e.reason is not Reason.EXISTS or (pull := await forge.find(proposal.head)) is None:
                raise
    return await forge.update(pull, proposal)
