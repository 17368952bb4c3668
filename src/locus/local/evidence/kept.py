"""What this machine has kept of a check's output, compared with the hash that the server was told."""

import glob
import hashlib
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from locus.wire.work import Evidence


class Standing(StrEnum):
    VERIFIED = "verified"  # the output is here, and it is the one that the evidence is about
    ALTERED = "altered"  # there is output of this check, and none of it has the recorded hash
    NOT_HERE = "not_here"  # another machine ran it, or the output was removed
    NO_OUTPUT = "no_output"  # the check was not run, so there is none


class Kept(Struct, frozen=True):
    """Whether the output is here, and where."""

    standing: Standing
    path: Path | None = None


def folder(state: Path, workspace_id: UUID, key: str, fence: int) -> Path:
    """Where an attempt's records are, below the state directory of this user: two workspaces may have equal keys."""
    return state / "attempts" / str(workspace_id) / key / str(fence)


def look(state: Path, workspace_id: UUID, key: str, fence: int, evidence: Evidence) -> Kept:
    """Find the output that a piece of evidence is about, below the state directory of this user."""
    if evidence.output_sha256 == hashlib.sha256(b"").hexdigest() and not evidence.passed:
        return Kept(Standing.NO_OUTPUT)
    place = folder(state, workspace_id, key, fence)
    logs = sorted(place.glob(f"check-{glob.escape(evidence.check)}-*.log")) if place.is_dir() else []
    # A check called unit-2 is not the second round of one called unit.
    logs = [log for log in logs if log.stem.removeprefix(f"check-{evidence.check}-").isdigit()]
    for log in logs:
        if hashlib.sha256(log.read_bytes()).hexdigest() == evidence.output_sha256:
            return Kept(Standing.VERIFIED, log)
    return Kept(Standing.ALTERED, logs[-1]) if logs else Kept(Standing.NOT_HERE)
