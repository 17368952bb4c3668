"""Asking an agent something as a job: the words go in on standard input, one JSON document comes out."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from locus.local.errors import LocalError
from locus.local.text import duration
from locus.telegram.acts.work import locus
from locus.telegram.desk import Asked
from locus.telegram.jobs import Job
from locus.telegram.markup import Line, bold, plain, prose

LONGEST = 3600.0  # seconds of one question to an agent
FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^\1`*\s*$|\Z)", re.MULTILINE)
STAYS = "[code stays on the machine]"

T = TypeVar("T")


async def ask(
    asked: Asked,
    arguments: Sequence[str],
    *,
    kind: str,
    title: str,
    words: str | None,
    answer: type[T],
    told: Callable[[T, Job], Awaitable[None]],
) -> None:
    """Start `locus` with these arguments as a job; `told` gets what it answered when it has ended well."""
    site = await asked.site()
    desk, chat = asked.desk, asked.person.chat
    printed: list[str] = []

    async def finished(job: Job, ok: bool) -> None:
        marks = {"done": "✓", "stopped": "■"}
        head = f"{marks.get(job.state, '✗')} {bold(title)} · job {job.id} · {duration(job.seconds)}"
        lines: list[Line] = [head]
        result: T | None = None
        try:
            result = msgspec.json.decode("\n".join(printed), type=answer)
        except msgspec.DecodeError:
            ok = False
        if job.said:
            lines += prose(job.said, most=900)
        elif not ok and job.state != "stopped":
            lines.append(f"It ended without an answer. /logs {job.id}")
        desk.outbox.show(chat, f"job:{job.id}", lines)
        if result is not None:
            await told(result, job)

    job = await desk.jobs.start(
        locus(site.root, *arguments),
        cwd=site.root,
        project=site.name,
        kind=kind,
        title=title,
        person=asked.person.user,
        chat=chat,
        read=printed.append,
        finished=finished,
        stdin=None if words is None else words.encode(),
        limit=LONGEST,
        alone=True,
    )
    asked.say(f"◐ {bold(title)} · job {job.id} · /stop {job.id} ends it", ref=f"job:{job.id}")


async def answer_of(asked: Asked, arguments: Sequence[str], answer: type[T]) -> T:
    """What a short command of ours answers, at once. Raises LocalError in its words."""
    from locus.local import process
    from locus.wire.problems import Problem

    site = await asked.site()
    done = await process.run(
        locus(site.root, *arguments), cwd=site.root, env=asked.desk.jobs.environment(), timeout=60.0
    )
    if not done.ok:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        try:
            problem = msgspec.json.decode(last[0] if last else "", type=Problem)
        except msgspec.DecodeError:
            raise LocalError(plain(last[0]) if last else f"It ended with {done.exit}.") from None
        raise LocalError(problem.detail)
    return msgspec.json.decode(done.stdout, type=answer)


def without_code(text: str) -> str:
    """An agent's words without the blocks of code in them."""
    return FENCED.sub(STAYS, text)
