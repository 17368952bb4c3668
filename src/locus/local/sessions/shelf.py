"""The sessions of a repository: make, find, list, delete. An id never leaves its folder, and never means two."""

import fcntl
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from locus.local import files
from locus.local.errors import LocalError
from locus.local.sessions.folder import Folder
from locus.local.sessions.record import Session

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that looks like something else
LENGTH = 8
ID = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
PREFIX = re.compile(rf"[{ALPHABET}]{{1,{LENGTH}}}")
RECORD = "session.json"
TRANSCRIPT = "transcript.jsonl"


class NoSuchSession(LocalError):
    """There is no session of that name here, or there are several."""


def new_id() -> str:
    """A name that no other session has."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class Shelf:
    """The sessions of one repository."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._place = folder.sessions

    def new(
        self, *, root: Path, cwd: Path, provider: str, sandboxed: bool, read_only: bool, name: str | None = None
    ) -> Session:
        """A session that is not written down yet; `save` does that. `name` is an id from `new_id`."""
        now = datetime.now(UTC)
        return Session(
            id=name or new_id(),
            root=str(root),
            cwd=str(cwd),
            provider=provider,
            sandboxed=sandboxed,
            read_only=read_only,
            created_at=now,
            updated_at=now,
        )

    def ids(self) -> list[str]:
        if not self._place.is_dir():
            return []
        return sorted(path.parent.name for path in self._place.glob(f"*/{RECORD}") if ID.fullmatch(path.parent.name))

    def all(self) -> list[Session]:
        """Every session, the last one used first. One that cannot be read is left out: `find` says why."""
        found = []
        for name in self.ids():
            try:
                found.append(self._load(name))
            except LocalError:
                continue
        return sorted(found, key=lambda session: session.updated_at, reverse=True)

    def find(self, wanted: str) -> Session:
        """The session with that id, or with an id that begins so. Raises NoSuchSession."""
        return self._load(self.name(wanted))

    def name(self, wanted: str) -> str:
        """The full id. Raises NoSuchSession when there is none or more than one."""
        given = wanted.strip().lower()
        names = [name for name in self.ids() if PREFIX.fullmatch(given) and name.startswith(given)]
        if given in names:
            return given
        if len(names) == 1:
            return names[0]
        if names:
            raise NoSuchSession(
                f"{wanted!r} is the beginning of several sessions: {', '.join(names[:5])}.",
                remedy="Write more of it.",
            )
        raise NoSuchSession(f"There is no session {wanted!r} in this repository.", remedy="See: locus sessions list")

    def save(self, session: Session) -> None:
        """Write the session down, whole or not at all. Raises LocalError."""
        files.write(self._of(session.id) / RECORD, msgspec.json.format(msgspec.json.encode(session)).decode())

    def transcript(self, session: Session) -> Path:
        """Where the lines of the agent go, as it printed them."""
        path = self._make(session.id) / TRANSCRIPT
        path.touch(mode=0o600)
        return path

    def delete(self, name: str) -> None:
        """Forget a session, what the agent kept of it in the sandbox included. Raises NoSuchSession."""
        name = self.name(name)
        try:
            native = self._load(name).native
        except LocalError:
            native = None  # a broken record must not keep anybody from deleting it
        if native is not None and re.fullmatch(r"[A-Za-z0-9-]{8,80}", native):
            for path in (self._folder.sandbox / "agent").rglob(f"*{native}*"):
                if path.is_file() and not path.is_symlink():
                    path.unlink(missing_ok=True)
        shutil.rmtree(self._of(name))

    @contextmanager
    def using(self, session: Session) -> Iterator[None]:
        """Keep other commands from going on with the session meanwhile, and see what they have made of it.

        Raises LocalError when one is at work in it, and NoSuchSession when one has deleted it.
        """
        if session.turns and not (self._of(session.id) / RECORD).exists():
            raise NoSuchSession(f"The session {session.id} was deleted meanwhile.", remedy="Begin a new one.")
        with (self._make(session.id) / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                raise LocalError(
                    f"Another command is at work in the session {session.id}.",
                    remedy="Wait for it, or begin another session.",
                ) from e
            self._look_again(session)
            yield

    def _look_again(self, session: Session) -> None:
        """Take over what others have written since the session was read."""
        if (self._of(session.id) / RECORD).exists():
            stored = self._load(session.id)
            for name in Session.__struct_fields__:
                setattr(session, name, getattr(stored, name))

    def _make(self, name: str) -> Path:
        """The place of a session, made if it is not there. Raises LocalError."""
        place = self._of(name)
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise LocalError(f"{place} cannot be made: {e.strerror or e}.", remedy="Check its rights.") from e
        return place

    def _of(self, name: str) -> Path:
        if not ID.fullmatch(name):
            raise NoSuchSession(f"{name!r} is no id of a session.", remedy="See: locus sessions list")
        return self._place / name

    def _load(self, name: str) -> Session:
        path = self._of(name) / RECORD
        text = files.read_private(path)
        if text is None:
            raise NoSuchSession(f"There is no session {name!r} in this repository.", remedy="See: locus sessions list")
        try:
            return msgspec.json.decode(text, type=Session)
        except msgspec.MsgspecError as e:
            raise LocalError(
                f"{path} cannot be read as a session: {e}.", remedy=f"Forget it: locus sessions delete {name}"
            ) from e
