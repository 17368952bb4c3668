"""Questions that wait for an answer, as files in the user's state directory: one process asks, any of them answers.

Each question is answered once: an answer is a file that only the first one can make. Whoever asks decides itself when
the time is over, in the same way, so that an answer that comes too late is refused and not lost.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import TypeVar

import msgspec

from locus.local.errors import LocalError
from locus.local.providers.asking import Verdict

FOLDER = "permissions"
KEPT = 86_400.0  # seconds that a settled question can still be looked at
MOST = 200  # questions that are looked at


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent wants to do. `asked` and `until` are seconds since 1970."""

    id: str
    root: str  # of the repository
    key: str  # of the task
    tool: str
    what: str
    scope: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    for_run: bool = False
    asked: float
    until: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and by whom; `by` is nobody when the time was over, or the run."""

    verdict: Verdict
    by: str


class Desk:
    """The folder of questions. Raises LocalError when it cannot be written."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def ask(self, question: Question) -> None:
        """Put a question where everybody sees it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._forget_old()
            self._put(self._question(question.id), msgspec.json.encode(question))
        except OSError as e:
            raise LocalError(
                f"{self._folder} cannot be written: {e.strerror}.", remedy="Check its rights and the space on the disk."
            ) from e

    def answer(self, id: str, answer: Answer) -> bool:
        """Answer a question; false when somebody else was first, or nobody asks any more."""
        if not self._question(id).exists():
            return False
        try:
            return self._put(self._answer(id), msgspec.json.encode(answer))
        except OSError:
            return False

    def answered(self, id: str) -> Answer | None:
        """The answer to a question, if there is one."""
        return _read(self._answer(id), Answer)

    def get(self, id: str) -> Question | None:
        return _read(self._question(id), Question)

    def open(self, *, now: float | None = None) -> list[Question]:
        """Questions that wait for an answer, oldest first."""
        moment = time.time() if now is None else now
        names = sorted(path.stem for path in self._folder.glob("*.json"))[:MOST] if self._folder.is_dir() else []
        asked = [question for name in names if (question := self.get(name)) is not None]
        return sorted(
            (one for one in asked if one.until > moment and self.answered(one.id) is None), key=lambda one: one.asked
        )

    def _question(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _answer(self, id: str) -> Path:
        return self._folder / f"{id}.answer"

    def _put(self, path: Path, content: bytes) -> bool:
        """Make a file with this content at once; false when it is there already."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        return True

    def _forget_old(self) -> None:
        before = time.time() - KEPT
        for path in self._folder.iterdir():
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)


def new_id() -> str:
    return secrets.token_hex(8)


T = TypeVar("T")


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
