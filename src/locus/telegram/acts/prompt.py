"""Words of one's own for an agent, as a prompt or in a discussion: off until the terminal has allowed it."""

from collections.abc import Mapping

import msgspec

from locus.local.sessions.shelf import ID
from locus.telegram.acts import agent
from locus.telegram.desk import QUESTION, Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.jobs import Job
from locus.telegram.markup import Line, bold, prose
from locus.telegram.presses import Question

LONGEST = 12_000  # characters of an answer
OFF = "/{} is off. At the terminal, who trusts this phone with the checkout says: locus telegram allow {}"


class Answer(msgspec.Struct):
    """What `locus exec --json` says, as far as a phone shows it."""

    answer: str
    turns: int = 0
    usd: float | None = None


async def _exec(asked: Asked, order: Order) -> None:
    account = asked.desk.account()
    if "exec" not in account.switches:
        asked.say(OFF.format("exec", "exec"))
        return
    desk, chat = asked.desk, asked.person.chat

    async def told(answer: Answer, job: Job) -> None:
        text = answer.answer if "code" in desk.account().switches else agent.without_code(answer.answer)
        spent = f"{answer.turns} turns" + (f" · ${answer.usd:.2f}" if answer.usd is not None else "")
        desk.outbox.say(chat, [*prose(text or "(no answer)", most=LONGEST), "", spent], once=f"answer:{job.id}")

    await agent.ask(asked, exec_arguments(), kind="exec", title="Exec", words=order.text, answer=Answer, told=told)


def exec_arguments() -> tuple[str, ...]:
    """What `locus` gets for a prompt, which comes on standard input."""
    return ("exec", "--json", "-")


class Insight(msgspec.Struct):
    kind: str
    title: str


class Exchange(msgspec.Struct):
    """What `locus discuss --json` says, as far as a phone shows it."""

    discussion: str
    reply: str
    insights: list[Insight] = []


async def _discuss(asked: Asked, order: Order) -> None:
    """Begin a discussion, or go on with the one whose last words were replied to."""
    if "discuss" not in asked.desk.account().switches:
        asked.say(OFF.format("discuss", "discuss"))
        return
    desk, chat, project = asked.desk, asked.person.chat, asked.project or ""

    async def told(said: Exchange, job: Job) -> None:
        text = said.reply if "code" in desk.account().switches else agent.without_code(said.reply)
        lines: list[Line] = [*prose(text or "(no answer)", most=LONGEST)]
        lines += [f"💡 {bold(one.kind)} {prose(one.title)[0]}" for one in said.insights]
        ref = f"{QUESTION}job:{job.id}"
        going_on = Question(project, Order(verb="discuss", word=said.discussion))
        desk.store.put(ref, msgspec.json.encode(going_on).decode())
        desk.outbox.say(chat, [*lines, "", "<i>Reply to go on.</i>"], ref=ref, asks=True, once=f"discussion:{job.id}")

    await agent.ask(
        asked,
        discuss_arguments(order.word),
        kind="discuss",
        title="Discussion",
        words=order.text,
        answer=Exchange,
        told=told,
    )


def discuss_arguments(discussion: str | None) -> tuple[str, ...]:
    """What `locus` gets for a discussion's next words, which come on standard input; its id is one of ours."""
    if discussion is None:
        return ("discuss", "--json", "-")
    if not ID.fullmatch(discussion):
        raise ValueError("the id of a discussion is made by us")
    return ("discuss", "--json", f"--resume={discussion}", "-")


HANDLERS: Mapping[str, Handler] = {"exec": _exec, "discuss": _discuss}
