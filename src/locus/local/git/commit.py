"""Commits made by plumbing: the message, its trailers, and the objects themselves."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from msgspec import Struct

from locus.local.git.runner import Git
from locus.local.git.trouble import GitError, Reason

SUBJECT_LIMIT = 200  # characters
BODY_LIMIT = 8000  # characters
VALUE_LIMIT = 300  # characters of a trailer

_NOT_IN_IDENTITY = re.compile(r"[<>\x00-\x1f\x7f]")


class Identity(Struct, frozen=True):
    """Whose name is on a commit."""

    name: str
    email: str

    @classmethod
    def of_nobody(cls) -> Identity:
        return cls("Locus agent", "agent@locus.invalid")


class Trailers(Struct, frozen=True):
    """What a commit says about its origin; in this order, at the end of the message."""

    task: str
    attempt: int
    agent: str
    evidence: str | None = None
    """What our own checks measured, in one line."""
    approved_by: str | None = None
    """Who has let a change through that was held for a person."""

    def lines(self) -> list[str]:
        pairs = [("Task", self.task), ("Attempt", str(self.attempt)), ("Agent", self.agent)]
        if self.evidence is not None:
            pairs.append(("Evidence", self.evidence))
        if self.approved_by is not None:
            pairs.append(("Held-approved-by", self.approved_by))
        return [f"{name}: {one_line(value)[:VALUE_LIMIT]}" for name, value in pairs]


class Message(Struct, frozen=True):
    """The parts of a commit message. A title or a body, which are other people's text, cannot add a trailer."""

    title: str
    trailers: Trailers
    body: str = ""

    def __str__(self) -> str:
        title = one_line(self.title)
        # "---" would end the message for tools that read patches from mail.
        title = title.lstrip("- ") if title.startswith("---") else title
        subject = title[:SUBJECT_LIMIT].rstrip() or f"Task {one_line(self.trailers.task)}"
        paragraphs = [subject, *([body] if (body := _body(self.body)) else []), "\n".join(self.trailers.lines())]
        return "\n\n".join(paragraphs) + "\n"


def one_line(text: str) -> str:
    """Return the text as one line: what separates or controls becomes a space, what is invisible goes."""
    shown = "".join(
        " " if _separates(char) else char for char in text if unicodedata.category(char) not in ("Cf", "Cs")
    )
    return " ".join(shown.split())


def _separates(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Zl", "Zp")


def _body(text: str) -> str:
    lines = [one_line(line) for line in text[:BODY_LIMIT].splitlines()]
    return "\n".join(f" {line}" if line.startswith("---") else line for line in lines).strip("\n")


async def commit(
    git: Git, *, tree: str, parent: str, message: Message | str, identity: Identity, when: datetime | None = None
) -> str:
    """Write a commit object and return its id. The same arguments with the same `when` give the same id."""
    name = _NOT_IN_IDENTITY.sub("", identity.name).strip() or "Locus agent"
    email = _NOT_IN_IDENTITY.sub("", identity.email).strip()
    extra = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    if when is not None:
        extra["GIT_AUTHOR_DATE"] = extra["GIT_COMMITTER_DATE"] = f"@{int(when.timestamp())} +0000"
    return await git.text("commit-tree", tree, "-p", parent, "-F", "-", stdin=str(message).encode(), extra=extra)


async def reparent(git: Git, sha: str, *, tree: str, parent: str) -> str:
    """Write a commit like `sha`, with another tree and parent; author, dates and message stay. Returns its id."""
    header, blank, message = (await git.local("cat-file", "commit", sha)).stdout.partition(b"\n\n")
    lines = header.split(b"\n")
    kept = [line for line in lines if line.startswith((b"author ", b"committer ", b"encoding "))]
    if not blank or sum(line.startswith(b"parent ") for line in lines) != 1:
        raise GitError(f"{sha} is not a commit with one parent.", reason=Reason.OTHER)
    written = [f"tree {tree}".encode(), f"parent {parent}".encode(), *kept]
    return await git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=b"\n".join(written) + b"\n\n" + message)


async def set_ref(git: Git, ref: str, new: str, *, old: str | None) -> None:
    """Move a ref of our git-dir from `old` (None: it must not exist). Raises GitError when it is elsewhere."""
    await git.local("update-ref", "--no-deref", ref, new, old if old is not None else "0" * len(new))


async def read_ref(git: Git, ref: str) -> str | None:
    """Return the commit a ref of our git-dir names, or None."""
    done = await git.local("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1, 128))
    return done.stdout.decode().strip() if done.exit.ok else None
