"""The discussions of a repository: topic, what was said, summary. Their insights are kept apart and outlive them."""

# No `from __future__ import annotations`: msgspec reads them.

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.local.sessions.folder import Folder
from locus.local.sessions.shelf import ID, PREFIX, new_id

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Speaker(StrEnum):
    PERSON = "person"
    AGENT = "agent"


class Said(Struct, kw_only=True):
    by: Speaker
    text: str
    at: Moment


class Discussion(Struct, kw_only=True):
    id: str
    topic: str
    provider: str
    session: str
    """The session with the agent, which remembers the conversation itself."""
    archived: bool
    created_at: Moment
    updated_at: Moment
    said: list[Said] = []
    summary: str | None = None

    def add(self, by: Speaker, text: str) -> None:
        self.said.append(Said(by=by, text=text, at=datetime.now(UTC)))


class NoSuchDiscussion(LocalError):
    """There is no discussion of that id, or there are several."""


class Discussions:
    """The discussions of one repository. An id never leaves its folder."""

    def __init__(self, folder: Folder) -> None:
        self._place = folder.discussions

    def new(self, topic: str, *, provider: str, session: str) -> Discussion:
        """A discussion that is not written down yet."""
        now = datetime.now(UTC)
        return Discussion(
            id=new_id(),
            topic=topic,
            provider=provider,
            session=session,
            archived=False,
            created_at=now,
            updated_at=now,
        )

    def ids(self) -> list[str]:
        names = [path.stem for path in self._place.glob("*.json")] if self._place.is_dir() else []
        return sorted(name for name in names if ID.fullmatch(name))

    def all(self) -> list[Discussion]:
        """Every discussion, the last one held first. One that cannot be read is left out: `find` says why."""
        found = []
        for name in self.ids():
            try:
                found.append(self._load(name))
            except LocalError:
                continue
        return sorted(found, key=lambda one: one.updated_at, reverse=True)

    def find(self, wanted: str) -> Discussion:
        """The discussion with that id, or with an id that begins so. Raises NoSuchDiscussion."""
        return self._load(self.name(wanted))

    def name(self, wanted: str) -> str:
        """The full id. Raises NoSuchDiscussion when there is none or more than one."""
        given = wanted.strip().lower()
        found = [name for name in self.ids() if PREFIX.fullmatch(given) and name.startswith(given)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NoSuchDiscussion(
                f"{wanted!r} is the beginning of several discussions: {', '.join(found[:5])}.",
                remedy="Write more of it.",
            )
        raise NoSuchDiscussion(f"There is no discussion {wanted!r} here.", remedy="See: locus discuss --list")

    def save(self, discussion: Discussion) -> None:
        """Write it down, whole or not at all. Raises LocalError."""
        discussion.updated_at = datetime.now(UTC)
        files.write(self._path(discussion.id), msgspec.json.format(msgspec.json.encode(discussion)).decode())

    def look_again(self, discussion: Discussion) -> None:
        """Take over what others have written since the discussion was read."""
        if self._path(discussion.id).exists():
            stored = self._load(discussion.id)
            for name in Discussion.__struct_fields__:
                setattr(discussion, name, getattr(stored, name))

    def delete(self, name: str) -> str | None:
        """Forget a discussion. Returns its session; None when it cannot be read. Raises NoSuchDiscussion."""
        name = self.name(name)
        try:
            session = self._load(name).session
        except LocalError:
            session = None  # a broken record must not keep anybody from deleting it
        self._path(name).unlink(missing_ok=True)
        return session

    def _path(self, name: str) -> Path:
        if not ID.fullmatch(name):
            raise NoSuchDiscussion(f"{name!r} is no id of a discussion.", remedy="See: locus discuss --list")
        return self._place / f"{name}.json"

    def _load(self, name: str) -> Discussion:
        path = self._path(name)
        try:
            return msgspec.json.decode(files.read_private(path) or "", type=Discussion)
        except msgspec.MsgspecError as e:
            raise LocalError(
                f"{path} cannot be read as a discussion: {e}.", remedy=f"Forget it: locus discuss --delete {name}"
            ) from e
