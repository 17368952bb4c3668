"""What a doc was when both sides were last the same: kept on this machine, outside of the checkout, one file each."""

# No `from __future__ import annotations`: msgspec reads them.
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.docs.form import Content
from locus.local.errors import LocalError
from locus.wire.docs import DocDraft, DocKind

PATIENCE = 15.0  # seconds for another sync; it may be waiting for an answer of a person
NAME = re.compile(r"([0-9a-f-]{36})\.json")
INTENTS = "intents.json"


class Base(Struct, kw_only=True):
    """One doc as it was on both sides."""

    id: UUID
    version: int
    title: str
    kind: DocKind
    group: str
    text: str
    pushed: bool = False
    """Whether somebody here has pushed it: only then does a sync offer to send what changes here."""
    source: str | None = None
    """The file of this repository that it was pushed from, if that is not the one in the folder. It never leaves."""
    theirs: bool = False
    """Whether both sides changed it: then this is what the control plane had, and its file stands beside ours."""

    @property
    def content(self) -> Content:
        return Content(self.title, self.kind, self.group, self.text)


def base_of(doc_id: UUID, content: Content, version: int, before: Base | None, *, theirs: bool = False) -> Base:
    """What both sides have now; who pushed the doc, and from where, stays as `before` has it."""
    return Base(
        id=doc_id,
        version=version,
        title=content.title,
        kind=content.kind,
        group=content.group,
        text=content.text,
        pushed=before.pushed if before else False,
        source=before.source if before else None,
        theirs=theirs,
    )


class Bases:
    """The docs of one workspace that one repository knows."""

    def __init__(self, place: Path, workspace_id: UUID) -> None:
        self._place = place / "documents" / str(workspace_id)

    def all(self) -> dict[UUID, Base]:
        """Every doc that is known, by its id. Raises LocalError."""
        if not self._place.is_dir():
            return {}
        found = (NAME.fullmatch(path.name) for path in sorted(self._place.iterdir()))
        bases = [self._load(match[0]) for match in found if match]
        return {base.id: base for base in bases}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep another sync of these docs waiting, for a while. Raises LocalError."""
        busy = LocalError(
            "Another `locus docs` is at work on these docs.", remedy="Answer its question, or wait for its end."
        )
        with files.locked(self._place / "sync", patience=PATIENCE, busy=busy):
            yield

    def save(self, base: Base) -> None:
        """Write one down, whole or not at all. Raises LocalError."""
        files.write(self._place / f"{base.id}.json", msgspec.json.encode(base).decode())

    def forget(self, doc_id: UUID) -> None:
        (self._place / f"{doc_id}.json").unlink(missing_ok=True)

    def intent(self, draft: DocDraft) -> str:
        """The key to create a doc under: that of an earlier push of the same which heard no answer, else a new one.

        Raises LocalError.
        """
        intents = self._intents()
        key = intents.setdefault(_digest(draft), str(uuid4()))
        self._write_intents(intents)
        return key

    def settle(self, draft: DocDraft) -> None:
        """It was answered: the same, pushed once more, is another doc. Raises LocalError."""
        intents = self._intents()
        if intents.pop(_digest(draft), None) is not None:
            self._write_intents(intents)

    def _intents(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(files.read_private(self._place / INTENTS) or "{}", type=dict[str, str])
        except msgspec.MsgspecError:
            return {}

    def _write_intents(self, intents: dict[str, str]) -> None:
        files.write(self._place / INTENTS, msgspec.json.encode(intents).decode())

    def _load(self, name: str) -> Base:
        path = self._place / name
        try:
            return msgspec.json.decode(files.read_private(path) or "", type=Base)
        except msgspec.MsgspecError as e:
            raise LocalError(
                f"{path} cannot be read: {e}.", remedy=f"Remove {path}; the next sync compares anew."
            ) from e


def _digest(draft: DocDraft) -> str:
    return hashlib.sha256(msgspec.json.encode(draft)).hexdigest()
