"""Reviews from the phone, and what reviewers said taken back to the agents: jobs of the machine."""

import re
from collections.abc import Mapping

import msgspec

from locus.telegram.acts import agent
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.jobs import Job
from locus.telegram.markup import Line, bold, code, prose

KEY = re.compile(r"[A-Z][A-Z0-9]{0,9}-[0-9]{1,9}")
SHOWN = 15  # findings of one review, and rounds
LONGEST = 1500  # characters of a summary
VERDICTS = {"approve": "✓ nothing against it", "comment": "● remarks", "request_changes": "✗ changes requested"}


class Finding(msgspec.Struct):
    file: str
    line: int
    severity: str
    title: str


class Review(msgspec.Struct):
    """One review of `locus review --json`, as far as a phone shows it."""

    what: str
    verdict: str
    summary: str
    findings: list[Finding] = []
    left_out: list[str] = []
    url: str | None = None


class Already(msgspec.Struct):
    what: str
    url: str | None = None


class Failure(msgspec.Struct):
    what: str
    why: str


class Reviews(msgspec.Struct):
    """What `locus review --json` says."""

    reviews: list[Review] = []
    already: list[Already] = []
    failed: list[Failure] = []


class Round(msgspec.Struct):
    pull_request: int
    task: str
    commit: str | None = None
    answered: int = 0
    checks: list[str] = []


class Iterated(msgspec.Struct):
    """What `locus iterate --json` says."""

    rounds: list[Round] = []
    ignored: list[str] = []
    failed: list[Failure] = []


# The arguments of `locus` for each order; numbers are numbers, and keys are what the grammar lets through.


def review_arguments(number: int | None) -> tuple[str, ...]:
    """What `locus` gets for a review of one pull request, or of every open one."""
    return ("review", "--json") if number is None else ("review", "--json", f"{number:d}")


def iterate_arguments(number: int | None, key: str | None) -> tuple[str, ...]:
    """What `locus` gets to take up what was said of a pull request, of a task's, or of every open one."""
    if number is not None:
        return ("iterate", "--json", f"{number:d}")
    if key is None:
        return ("iterate", "--json")
    if not KEY.fullmatch(key):
        raise ValueError("the grammar lets only keys of tasks through")
    return ("iterate", "--json", key)


async def _review(asked: Asked, order: Order) -> None:
    desk, chat = asked.desk, asked.person.chat

    async def told(found: Reviews, job: Job) -> None:
        whole = "code" in desk.account().switches
        lines: list[Line] = []
        for one in found.reviews:
            lines += [f"{bold(one.what)} {prose(VERDICTS.get(one.verdict, one.verdict))[0]}"]
            lines += prose(one.summary if whole else agent.without_code(one.summary), most=LONGEST)
            lines += [_finding(finding) for finding in one.findings[:SHOWN]]
            if len(one.findings) > SHOWN:
                lines.append(f"… and {len(one.findings) - SHOWN} more")
            if one.left_out:
                lines.append(f"! {len(one.left_out)} files were not looked at, or not to the end")
            lines += prose(one.url) if one.url else []
        lines += [f"= {prose(one.what)[0]} was reviewed already" for one in found.already]
        lines += _failed(found.failed)
        desk.outbox.say(chat, lines or ["Nothing waits for a review."], once=f"review:{job.id}")

    title = "Review" if order.number is None else f"Review of pull request {order.number}"
    arguments = review_arguments(order.number)
    await agent.ask(asked, arguments, kind="review", title=title, words=None, answer=Reviews, told=told)


async def _iterate(asked: Asked, order: Order) -> None:
    desk, chat = asked.desk, asked.person.chat

    async def told(found: Iterated, job: Job) -> None:
        lines: list[Line] = []
        for one in found.rounds[:SHOWN]:
            what = f"pushed {code(one.commit[:10])}" if one.commit else "nothing was changed"
            lines.append(f"✓ {bold(one.task)} on pull request {one.pull_request}: {what}, {one.answered} answered")
            lines += [prose(check)[0] for check in one.checks]
        if found.ignored:
            lines.append(f"Not taken up, for want of write access: {prose(', '.join(found.ignored))[0]}")
        lines += _failed(found.failed)
        desk.outbox.say(chat, lines or ["Nothing waits for an answer."], once=f"iterate:{job.id}")

    arguments = iterate_arguments(order.number, order.key)
    await agent.ask(asked, arguments, kind="iterate", title="Iterate", words=None, answer=Iterated, told=told)


def _finding(finding: Finding) -> Line:
    return f"• {prose(finding.severity)[0]} {code(f'{finding.file}:{finding.line}')} {prose(finding.title)[0]}"


def _failed(failures: list[Failure]) -> list[Line]:
    return [f"✗ {prose(one.what)[0]}: {prose(one.why)[0]}" for one in failures]


HANDLERS: Mapping[str, Handler] = {"review": _review, "iterate": _iterate}
