"""Answers to what was said about a pull request: written down before the push, posted after it, each of them once.

So a call that was killed in between is finished by the next one, without asking an agent again.
"""

# No `from __future__ import annotations`: msgspec reads them.

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.forge.base import ForgeError, Reason
from locus.local.forge.threads import Said, Talk
from locus.local.review.text import harmless
from locus.local.worker.criticism import Criticism, answered_mark, thread_name

LONGEST = 4000  # characters of one answer
TOGETHER = 10  # remarks that are answered in one comment
QUOTED = 200  # characters of a remark
REMEMBERED = 200  # failed checks of one pull request


class Reply(Struct, kw_only=True):
    """One comment of ours. `to` is the first comment of a thread, None for the pull request as a whole."""

    to: int | None
    about: list[int]
    """The comments that it answers: the last one of the thread, or the remarks."""
    text: str

    def is_due(self, criticism: Criticism) -> bool:
        """Whether that is still open, and nobody has said anything more."""
        if self.to is None:
            return any(one.id in self.about for one in criticism.remarks)
        return any(one.first == self.to and one.comments[-1].id in self.about for one in criticism.threads)


class Waiting(Struct, kw_only=True):
    """What is to be said about one task's follow-up, once `commit` is on the branch; None when nothing was changed."""

    task: str
    commit: str | None
    resumed: bool
    checks: list[str]
    replies: list[Reply]
    taken: list[str]
    """The failed checks that it has taken up."""


class _Pull(Struct, kw_only=True):
    taken: list[str] = []
    waiting: list[Waiting] = []


class Notebook:
    """What this machine knows of the pull requests of a repository; `path` is a file of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def taken(self, number: int) -> list[str]:
        """The failed checks that were taken up before: they cannot be answered."""
        return self._read().get(str(number), _Pull()).taken

    def waiting(self, number: int) -> list[Waiting]:
        """What an earlier call has not got to saying, the oldest first."""
        return self._read().get(str(number), _Pull()).waiting

    def keep(self, number: int, waiting: Waiting) -> None:
        """Write down what is to be said; what was known of the same task before is void. Raises LocalError."""
        with self._pull(number) as pull:
            pull.waiting = [*(one for one in pull.waiting if one.task != waiting.task), waiting]

    def drop(self, number: int, task: str, *, taken: Sequence[str] = ()) -> None:
        """Forget what was to be said about a task, and remember the failed checks that it took up."""
        with self._pull(number) as pull:
            pull.waiting = [one for one in pull.waiting if one.task != task]
            pull.taken = [*pull.taken, *taken][-REMEMBERED:]

    @contextmanager
    def _pull(self, number: int) -> Iterator[_Pull]:
        with files.locked(self._path):
            found = self._read()
            yield found.setdefault(str(number), _Pull())
            files.write(self._path, msgspec.json.encode(found).decode())

    def _read(self) -> dict[str, _Pull]:
        try:
            return msgspec.json.decode(files.read_private(self._path) or "{}", type=dict[str, _Pull])
        except msgspec.DecodeError:
            return {}


def replies_to(criticism: Criticism, answers: Mapping[str, str], commit: str | None) -> list[Reply]:
    """What is said to everything in it. `answers` are the agent's, without secrets."""
    end = f"Done in {commit[:10]}." if commit else "Nothing was changed."

    def words(name: str) -> str:
        said = harmless(answers.get(name, ""))
        return f"{said if len(said) <= LONGEST else said[:LONGEST] + ' […]'}\n\n{end}".strip()

    found = [
        Reply(
            to=thread.first,
            about=[thread.comments[-1].id],
            text=f"{words(thread_name(at))}\n\n{answered_mark()}",
        )
        for at, thread in enumerate(criticism.threads)
    ]
    named = [(f"R{at + 1}", one) for at, one in enumerate(criticism.remarks)]
    for at in range(0, len(named), TOGETHER):
        some = named[at : at + TOGETHER]
        said = "\n\n".join(f"> {_quoted(one)}\n\n{words(name)}" for name, one in some)
        ids = [one.id for _, one in some]
        found.append(Reply(to=None, about=ids, text=f"{said}\n\n{answered_mark(ids)}"))
    return found


async def post(
    talk: Talk, waiting: Waiting, criticism: Criticism, *, settled: Callable[[], None], tell: Callable[[str], None]
) -> int:
    """Post what is due, and return how much of what was said is answered. `settled` is called after each. Raises
    ForgeError; what was posted until then is not in `waiting` any more.
    """
    answered = 0
    for reply in list(waiting.replies):
        if reply.is_due(criticism):
            try:
                await (talk.say(reply.text) if reply.to is None else talk.answer(reply.to, reply.text))
                answered += len(reply.about)
            except ForgeError as e:
                if e.reason not in (Reason.NOT_FOUND, Reason.INVALID):
                    raise
                tell(f"One answer could not be given: {e.message}")  # what it answers was deleted meanwhile
        waiting.replies.remove(reply)
        settled()
    return answered


def _quoted(said: Said) -> str:
    return harmless(" ".join(said.text.split())[:QUOTED])
