"""Pushing one file: what of it would leave is worked out first, so that a person can look at it, and then sent."""

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from locus.client.docs import Docs
from locus.client.errors import NotFound
from locus.local.docs import contents
from locus.local.docs.base import Base, Bases, base_of
from locus.local.docs.folder import DOC, FOLDER, Documents, name_of, text_of
from locus.local.docs.form import Content, NotADoc, content_of, draft_of, edit_of, read, split, written
from locus.local.docs.leaving import Leaving, secrets_in
from locus.local.errors import LocalError
from locus.wire.docs import Doc, DocKind

FIRST_WORDS = 80  # characters of a text without a heading that become its title


class Wish(Struct, frozen=True):
    """What the person says of the doc; None leaves it to the file."""

    title: str | None = None
    kind: DocKind | None = None
    group: str | None = None

    def over(self, content: Content) -> Content:
        fields: dict[str, Any] = {"title": self.title, "kind": self.kind, "group": self.group}
        return replace(content, **{name: value for name, value in fields.items() if value is not None})


class Push(Struct, frozen=True):
    """One file as it would be sent: a new doc, or another version of `base`."""

    leaving: Leaving
    name: str | None  # of the file in the folder of docs; None: it stands elsewhere
    source: str | None
    base: Base | None

    @property
    def content(self) -> Content:
        return self.leaving.content


def prepared(documents: Documents, bases: Bases, path: Path, wish: Wish) -> Push:
    """Read a file, and find out which doc it is. Raises LocalError, also when a secret seems to be in it."""
    file = _file(path)
    name, source = _place(documents.root, path)
    match = DOC.fullmatch(name) if name else None
    if match and match[2]:
        raise LocalError(
            f"{path} is what the control plane has.", remedy=f"Push yours: {FOLDER / name_of(UUID(match[1]))}"
        )
    known = bases.all()
    if name is not None:
        base = known.get(UUID(match[1])) if match else None
        if base is not None and base.theirs and documents.read(name_of(base.id, theirs=True)) is not None:
            raise LocalError(
                f"{name} was changed on both sides, and theirs still stands beside it.",
                remedy=f"Put what shall stay into yours, and delete {FOLDER / name_of(base.id, theirs=True)}.",
            )
    else:
        base = next((one for one in known.values() if one.source == source), None)
        copy = None if base is None else documents.read(name_of(base.id))
        if base is not None and copy not in (None, written(base.content)):
            raise LocalError(
                f"{FOLDER / name_of(base.id)}, the same doc, was changed too.",
                remedy="Push or undo that first; what was pushed from two places would lose one of them.",
            )
    content = wish.over(_content(file, base))
    if not content.title.strip():
        raise LocalError(f"{path} says nothing that its doc could be called by.", remedy="Call it: --title TEXT")
    draft_of(content)
    leaving = Leaving(str(path), content)
    if found := secrets_in(leaving, documents.root):
        raise LocalError(
            f"Nothing was sent: {', '.join(found)} seems to be a secret.",
            remedy="Take it out. If it is none, add it to .secrets.baseline, as detect-secrets writes it.",
        )
    return Push(leaving, name, source, base)


async def push(docs: Docs, documents: Documents, bases: Bases, wanted: Push) -> Doc:
    """Send it, and keep its file in the folder. Raises LocalError and PlaneError; Stale when it was changed there."""
    with bases.locked():
        # What keeps the file from being written is found out before anything leaves.
        documents.make_ready(name_of(wanted.base.id) if wanted.base else None)
        doc = await _sent(docs, bases, wanted)
        base = base_of(doc.id, content_of(doc), doc.version, wanted.base)
        base.pushed, base.source = True, wanted.source
        bases.save(base)  # first: a file that is missing comes with the next sync
        bases.settle(draft_of(wanted.content))
        documents.write(name_of(doc.id), written(base.content))
        if wanted.name is not None and wanted.name != name_of(doc.id):
            documents.remove(wanted.name)  # it goes on under its own name
        if wanted.base is not None and wanted.base.id != doc.id:
            bases.forget(wanted.base.id)
        contents.write(documents, {one.id: one.content for one in bases.all().values()})
        return doc


async def _sent(docs: Docs, bases: Bases, wanted: Push) -> Doc:
    base = wanted.base
    if base is None:
        return await _created(docs, bases, wanted)
    try:
        there = await docs.get(base.id)
    except NotFound:
        return await _created(docs, bases, wanted)  # deleted there: it begins anew
    if content_of(there) == wanted.content:
        return there
    if there.version != base.version and content_of(there) != base.content:
        raise LocalError(f"{there.title} was changed there meanwhile.", remedy="Bring it here first: locus docs sync")
    return await docs.edit(there.id, edit_of(wanted.content, since=content_of(there)), version=there.version)


async def _created(docs: Docs, bases: Bases, wanted: Push) -> Doc:
    draft = draft_of(wanted.content)
    return await docs.create(draft, idempotency_key=bases.intent(draft))


def _file(path: Path) -> str:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as e:
        raise LocalError(f"There is no file {path}.") from e
    except OSError as e:
        said = "is a link; name the file that it leads to" if path.is_symlink() else f"cannot be read: {e.strerror}"
        raise LocalError(f"{path} {said}.") from e
    try:
        return text_of(handle, str(path))
    finally:
        os.close(handle)


def _place(root: Path, path: Path) -> tuple[str | None, str | None]:
    """The name of a file in the folder of docs, or else where in the repository, or outside of it, it stands."""
    whole = path.parent.resolve() / path.name
    if whole.parent == (root / FOLDER).resolve():
        return whole.name, None
    return None, str(whole.relative_to(root.resolve()) if whole.is_relative_to(root.resolve()) else whole)


def _content(file: str, base: Base | None) -> Content:
    try:
        head, text = split(file)
    except NotADoc:
        head, text = None, file  # a file of another kind may begin like one of ours
    if head is not None and "title" in head:
        return read(file)
    if base is not None:
        return replace(base.content, text=text)
    return Content(_title(text), DocKind.GENERAL, "", text)


def _title(text: str) -> str:
    """The first heading of a file, or its first words. Never its name, which does not leave."""
    lines = ["".join(letter if letter.isprintable() else " " for letter in line).strip() for line in text.splitlines()]
    heading = next((words for line in lines if line.startswith("# ") and (words := line.lstrip("# "))), None)
    if heading is not None:
        return " ".join(heading.split())[:200]
    words = " ".join(next((line for line in lines if line), "").split())
    return words if len(words) <= FIRST_WORDS else words[: FIRST_WORDS - 1] + "…"


def kinds() -> list[str]:
    """The kinds of docs, as one types them."""
    return [kind.value.lower().replace("_", "-") for kind in DocKind]


def kind_of(typed: str) -> DocKind:
    return msgspec.convert(typed.upper().replace("-", "_"), DocKind)
