"""One sync: look at both sides, decide for each doc, do what stays here, and send what somebody agrees to."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from locus.client.docs import Docs
from locus.client.errors import Forbidden, NotFound, Stale
from locus.local.docs import contents, rules
from locus.local.docs.base import Base, Bases, base_of
from locus.local.docs.folder import CONTENTS, DOC, FOLDER, Documents, UnsafeFile, name_of
from locus.local.docs.form import Content, NotADoc, content_of, edit_of, read, written
from locus.local.docs.leaving import Leaving, secrets_in
from locus.local.docs.rules import Act, Decision
from locus.local.errors import LocalError


class Done(Struct, frozen=True):
    """What became of one doc or file. `why` says more where the act alone does not."""

    path: str
    title: str
    act: Act
    id: UUID | None = None
    why: str = ""


class There(Struct, frozen=True):
    """A doc of the control plane."""

    content: Content
    version: int


class Here(Struct):
    """What stands in the folder."""

    docs: dict[UUID, tuple[str, Content]] = field(default_factory=dict)  # the file to the letter, and what it says
    theirs: set[UUID] = field(default_factory=set)
    faults: dict[UUID, Done] = field(default_factory=dict)
    others: list[Done] = field(default_factory=list)


class Sync:
    """Both sides of one workspace's docs. `agree` is asked once about everything that would leave."""

    def __init__(
        self,
        docs: Docs,
        documents: Documents,
        bases: Bases,
        *,
        agree: Callable[[Sequence[Leaving]], bool],
        delete: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._docs, self._documents, self._bases = docs, documents, bases
        self._agree, self._delete, self._dry_run = agree, delete, dry_run

    async def run(self) -> list[Done]:
        """What was done, or with `dry_run` would be. What was done before an error stays done.

        Raises LocalError and PlaneError.
        """
        with self._bases.locked():
            return await self._run(self._bases.all())

    async def _run(self, bases: dict[UUID, Base]) -> list[Done]:
        if self._delete and bases and not self._documents.exists():
            raise LocalError(
                f"{FOLDER} is not there, so nobody deleted single docs of it.",
                remedy="Bring it back first: locus docs sync",
            )
        if not self._dry_run:
            self._documents.tidy()
        here = looked_at(self._documents)
        there = await self._there(bases)
        done, leaving = list(here.others), []
        for doc_id in sorted(there.keys() | bases.keys() | here.docs.keys()):
            if doc_id in here.faults:
                known = bases.get(doc_id)
                done.append(replace(here.faults[doc_id], title=known.title) if known else here.faults[doc_id])
                continue
            decision = self._decided(doc_id, bases.get(doc_id), here, there.get(doc_id))
            if decision.send:
                leaving.append((doc_id, decision))
            else:
                done.append(self._stays(doc_id, decision, bases.get(doc_id), here, there.get(doc_id)))
        done += await self._leave(leaving, bases, here, there)
        if not self._dry_run:
            contents.write(self._documents, {base.id: base.content for base in self._bases.all().values()})
        return [one for one in done if one.act is not Act.SAME]

    async def _there(self, bases: dict[UUID, Base]) -> dict[UUID, There]:
        found = {}
        async for ref in self._docs.all():
            base = bases.get(ref.id)
            if base is not None and base.version == ref.version:
                found[ref.id] = There(base.content, ref.version)
                continue
            try:
                doc = await self._docs.get(ref.id)
            except NotFound:
                continue  # deleted since the list was made
            found[ref.id] = There(content_of(doc), doc.version)
        for doc_id in bases.keys() - found.keys():
            # A doc that is edited while a long list is read can slip from one page of it to another.
            with suppress(NotFound):
                doc = await self._docs.get(doc_id)
                found[doc_id] = There(content_of(doc), doc.version)
        return found

    def _decided(self, doc_id: UUID, base: Base | None, here: Here, there: There | None) -> Decision:
        ours = here.docs[doc_id][1] if doc_id in here.docs else None
        theirs = there.content if there else None
        if base and base.theirs and doc_id in here.theirs and ours is not None and theirs not in (None, ours):
            return Decision(Act.CONFLICT, theirs)  # nobody has settled it yet
        pushed = bool(base and base.pushed)
        return rules.decide(base.content if base else None, ours, theirs, pushed=pushed, delete=self._delete)

    def _stays(self, doc_id: UUID, decision: Decision, base: Base | None, here: Here, there: There | None) -> Done:
        """Do what sends nothing."""
        name, content = name_of(doc_id), decision.content
        title = content.title if content else base.title if base else str(doc_id)
        told = Done(str(FOLDER / name), title, decision.act, doc_id, _why(decision.act, doc_id))
        if self._dry_run:
            return told
        try:
            match decision.act:
                case Act.PULLED | Act.RESTORED | Act.MERGED:
                    assert content is not None
                    self._put(doc_id, content, here)
                case Act.REMOVED:
                    self._same_as_read(doc_id, here)
                    self._documents.remove(name)
                case Act.CONFLICT:
                    assert content is not None
                    self._documents.write(name_of(doc_id, theirs=True), written(content))
                case _:
                    pass
        except LocalError as e:
            return replace(told, act=Act.FAULT, why=e.message)
        self._learnt(doc_id, decision.act, base, here, there)
        return told

    def _learnt(self, doc_id: UUID, act: Act, base: Base | None, here: Here, there: There | None) -> None:
        """Write down what both sides are known to have now."""
        if act in (Act.REMOVED, Act.FORGOTTEN):
            self._bases.forget(doc_id)
        elif there is not None and act is not Act.UNSENT:
            new = base_of(doc_id, there.content, there.version, base, theirs=act is Act.CONFLICT)
            if new != base:
                self._bases.save(new)
        settled = base is not None and base.theirs and act not in (*rules.TROUBLE, Act.UNSENT)
        if settled and doc_id in here.theirs:
            self._documents.remove(name_of(doc_id, theirs=True))

    async def _leave(
        self, leaving: list[tuple[UUID, Decision]], bases: dict[UUID, Base], here: Here, there: dict[UUID, There]
    ) -> list[Done]:
        done, asked = [], []
        for doc_id, decision in leaving:
            content = decision.content or there[doc_id].content
            one = Leaving(str(FOLDER / name_of(doc_id)), content, deleted=decision.act is Act.DELETED)
            told = Done(one.path, content.title, decision.act, doc_id)
            found = [] if one.deleted else await asyncio.to_thread(secrets_in, one, self._documents.root)
            if found:
                done.append(replace(told, act=Act.FAULT, why=f"It seems to hold a secret: {', '.join(found)}."))
            else:
                asked.append((one, told, decision))
        if self._dry_run:
            return done + [told for _, told, _ in asked]
        if not asked:
            return done
        agreed = self._agree([one for one, _, _ in asked])
        for one, told, decision in asked:
            assert told.id is not None
            if not agreed:
                done.append(replace(told, act=Act.UNSENT, why="Nobody agreed to send it."))
                continue
            try:
                await self._send(told.id, one, decision, bases[told.id], here, there[told.id])
            except (Stale, NotFound):
                done.append(replace(told, act=Act.UNSENT, why="It was changed there just now; sync again."))
            except Forbidden as e:
                done.append(replace(told, act=Act.UNSENT, why=e.message))
            except LocalError as e:
                done.append(replace(told, act=Act.FAULT, why=e.message))
            else:
                done.append(told)
        return done

    async def _send(
        self, doc_id: UUID, leaving: Leaving, decision: Decision, base: Base, here: Here, there: There
    ) -> None:
        if decision.act is Act.DELETED:
            await self._docs.delete(doc_id, version=there.version)
            self._bases.forget(doc_id)
            return
        edit = edit_of(leaving.content, since=there.content)
        if decision.act is Act.MERGED:
            self._put(doc_id, leaving.content, here)
        made = await self._docs.edit(doc_id, edit, version=there.version)
        self._bases.save(base_of(doc_id, content_of(made), made.version, base))

    def _put(self, doc_id: UUID, content: Content, here: Here) -> None:
        self._same_as_read(doc_id, here)
        self._documents.write(name_of(doc_id), written(content))

    def _same_as_read(self, doc_id: UUID, here: Here) -> None:
        """Raise LocalError when somebody has written the file since it was read: their words would be lost."""
        was = here.docs[doc_id][0] if doc_id in here.docs else None
        if self._documents.read(name_of(doc_id)) != was:
            raise LocalError("It was written just now; sync again.")


def looked_at(documents: Documents) -> Here:
    """Read the folder. What cannot be read is told, and nothing is done about it."""
    here = Here()
    for name in documents.names():
        path = str(FOLDER / name)
        match = DOC.fullmatch(name)
        if match is None:
            if name != CONTENTS:
                odd = DOC.fullmatch(name.lower())
                why = "Its name belongs to a doc, in other letters." if odd else f"Not sent: locus docs push {path}"
                here.others.append(Done(path, name, Act.FAULT if odd else Act.NEW, why=why))
            continue
        doc_id = UUID(match[1])
        if match[2]:
            here.theirs.add(doc_id)
            continue
        try:
            file = documents.read(name)
            if file is not None:
                here.docs[doc_id] = (file, read(file))
        except (UnsafeFile, NotADoc) as e:
            here.faults[doc_id] = Done(path, name, Act.FAULT, doc_id, f"{e.message} {e.remedy or ''}".strip())
    return here


def _why(act: Act, doc_id: UUID) -> str:
    path = FOLDER / name_of(doc_id)
    match act:
        case Act.CONFLICT:
            beside = name_of(doc_id, theirs=True)
            return (
                f"Changed on both sides; theirs is {beside}. Put what shall stay into yours, delete theirs, sync again."
            )
        case Act.GONE:
            return f"Deleted there, changed here. Make it a new doc: locus docs push {path}; or delete the file."
        case Act.UNSENT | Act.NEW:
            return f"Not sent: locus docs push {path}"
        case _:
            return ""
