"""No forge: the description of the pull request is written to a file, for a person to use."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from msgspec import Struct

from locus.local.forge.base import ForgeError, Proposal, PullRequest, Reason, Rights, State


class NoForge(Struct, frozen=True):
    """Writes into a directory of ours."""

    directory: Path
    name: str = "no forge"

    async def find(self, head: str) -> PullRequest | None:
        path = self._path(head)
        return _written(path) if _exists(path) else None

    async def create(self, proposal: Proposal) -> PullRequest:
        path = self._path(proposal.head)
        try:
            _write(path, f"# {proposal.title}\n\n{proposal.head} → {proposal.base}\n\n{proposal.body.rstrip()}\n")
        except OSError as e:
            raise ForgeError(f"{path} cannot be written: {e.strerror}.", reason=Reason.OTHER) from e
        return _written(path)

    async def update(self, pull: PullRequest, proposal: Proposal) -> PullRequest:
        return await self.create(proposal)

    async def rights(self) -> Rights:
        return Rights(push=None)

    def _path(self, head: str) -> Path:
        # The hash keeps a/b and a-b apart.
        name = re.sub(r"[^A-Za-z0-9._-]", "-", head).lstrip(".-")[:80]
        return self.directory / f"{name}-{hashlib.sha256(head.encode()).hexdigest()[:8]}.md"


def _written(path: Path) -> PullRequest:
    return PullRequest(number=None, url=None, state=State.WRITTEN, path=path)


def _exists(path: Path) -> bool:
    return path.is_file()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8", errors="replace")
    beside.replace(path)
