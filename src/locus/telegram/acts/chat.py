"""This chat: help, the project it is about, and which news it gets."""

import time
from collections.abc import Mapping

from locus.telegram.commands import COMMANDS, GROUPS
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Delivery, Notice, Order
from locus.telegram.markup import Line, bold, code, plain
from locus.telegram.news import Wishes, release
from locus.telegram.presses import Run

MEANS: Mapping[Notice, str] = {
    Notice.REVIEW: "a task can be judged",
    Notice.PLAN: "a plan waits for a decision",
    Notice.BLOCKED: "a task waits for a person",
    Notice.HELD: "a change is held for a person to look at",
    Notice.EXHAUSTED: "every attempt at a task failed",
    Notice.PARKED: "an agent waits for a usage limit to end",
    Notice.BUDGET: "a limit of turns or money was reached",
    Notice.FINISHED: "a run has ended, or there is a pull request",
    Notice.LOST: "an agent is gone, and its task was given back",
}


async def _help(asked: Asked, _: Order) -> None:
    told: list[Line] = []
    for section in GROUPS:
        told += ["", f"<b>{plain(section)}</b>"]
        told += [
            f"{plain(spec.usage)} – {plain(spec.help)}"
            for spec in COMMANDS.values()
            if spec.section == section and spec.listed
        ]
    name = asked.project
    told += ["", f"This chat is about {bold(name)}." if name else "The bot serves no project yet."]
    asked.say(told[1:])


async def _project(asked: Asked, order: Order) -> None:
    places = asked.desk.projects.places
    if order.word is None:
        rows = [
            [
                asked.button(
                    f"{'● ' if place.name == asked.project else ''}{place.name}",
                    Run(Order(verb="project", word=place.name), place.name),
                    once=False,
                )
            ]
            for place in places
        ]
        asked.say("Which project is this chat about?" if places else "The bot serves no project yet.", buttons=rows)
        return
    if all(place.name != order.word for place in places):
        asked.say(f"There is no project {code(order.word)}. /project shows them.")
        return
    asked.desk.choose(asked.person, order.word)
    asked.say(f"This chat is about {bold(order.word)} now.")


async def _mute(asked: Asked, order: Order) -> None:
    wishes = Wishes(asked.desk.store, asked.person.chat)
    minutes = order.minutes or 0
    wishes.mute_until(time.time() + 60 * minutes if minutes else None)
    if not minutes:
        asked.say("News come at once again.")
        release(asked.desk, asked.person.chat, now=time.time())
        return
    end = time.strftime("%H:%M", time.localtime(time.time() + 60 * minutes))
    asked.say(f"News are held back until {end}, then you get them in one message. /mute off ends it.")


async def _quiet(asked: Asked, order: Order) -> None:
    wishes = Wishes(asked.desk.store, asked.person.chat)
    if order.word is not None:
        wishes.set_quiet(None if order.word == "off" else order.word)
    now = wishes.quiet
    asked.say(
        f"News are held back from {now.replace('-', ' until ')}, every day." if now else "There are no quiet hours."
    )


async def _notify(asked: Asked, order: Order) -> None:
    wishes = Wishes(asked.desk.store, asked.person.chat)
    if order.word == "at" and order.text is not None:
        wishes.set_digest_at(order.text)
    elif order.word is not None and order.text is not None:
        wishes.deliver(Notice(order.word), Delivery(order.text))
    told: list[Line] = ["<b>News of this chat</b>"]
    told += [f"{code(kind)} {wishes.delivery(kind)} – {plain(means)}" for kind, means in MEANS.items()]
    told += ["", f"Digests come at {wishes.digest_at}: /notify at 08:30. Change one: /notify review digest"]
    asked.say(told)


HANDLERS: Mapping[str, Handler] = {
    "help": _help,
    "start": _help,
    "project": _project,
    "mute": _mute,
    "quiet": _quiet,
    "notify": _notify,
}
