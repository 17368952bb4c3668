"""The bot: takes updates in order, each at most once, and lets the handlers answer. Read this first.

An update is written down before anything is done about it, with the number below which everything has been taken up.
So a bot that is killed in the middle of an act does not act again; the next one tells who asked that it may be half
done. A handler that takes long goes on beside the following updates.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from locus.client.errors import PlaneError, Unreachable
from locus.local.errors import LocalError
from locus.telegram import grammar
from locus.telegram.account import Account, Person
from locus.telegram.acts import judge as judging
from locus.telegram.acts.table import HANDLERS
from locus.telegram.asking import Asking
from locus.telegram.commands import COMMANDS
from locus.telegram.desk import Asked, Desk
from locus.telegram.enrolment import Enrolment
from locus.telegram.grammar import Order, Refused, parse
from locus.telegram.inbound import Heard, Nothing, Pressed, Said, Stranger, judge
from locus.telegram.markup import code, plain, prose
from locus.telegram.news import release
from locus.telegram.polling import BATCH, batches
from locus.telegram.presses import Approve, Ask, Do, Let, No, Question, Reject, Run
from locus.telegram.watch import Watch
from locus.telegram.webhook import receive

if TYPE_CHECKING:
    from telegram import Bot as Api

AWAIT = 1.0  # seconds that the next update waits for the handler of this one
TOO_LONG = 120.0  # seconds of a handler; long commands are jobs
TICK = 20.0  # seconds between looks at what was held back
OPENING = 3.0  # seconds at most until orders are taken although a control plane does not answer
TAKEN_UP = "taken_up"  # the highest update that was
POLLED = "polled"  # when nothing waited at Telegram
LATE = "That was pressed while the bot was away. Look at it anew: /dashboard"
GONE = "This button is used up, or its time is over."
HELP = "I take commands. /help lists them."


class Bot:
    """One bot at work on one desk. `listed` puts somebody on the list, `state` is the user's state directory.

    `now` gives seconds since 1970.
    """

    def __init__(
        self,
        desk: Desk,
        api: "Api",
        listed: Callable[[Stranger], Person],
        state: Path,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.desk = desk
        self.api = api
        self._listed = listed
        self._now = now
        self._acting: set[asyncio.Task[None]] = set()
        self._watches: dict[str, asyncio.Task[None]] = {}
        self.enrolment = Enrolment(desk.store, now=now)
        self._asking = Asking(desk, state)

    # ---- life

    async def run(self) -> None:
        """Serve until cancelled. Raises Conflict, and LocalError when Telegram does not know the bot any more."""
        from telegram.error import InvalidToken

        await self.begin()
        parts = [self.desk.outbox.deliver(self.api), self._updates(), self._tick(), self._asking.run()]
        working = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except InvalidToken:
            raise LocalError(
                "Telegram does not know this bot any more.", remedy="Give it a new token: locus telegram setup"
            ) from None
        finally:
            await self.desk.jobs.close()
            await self.desk.outbox.drained(2.0)
            for task in (*working, *self._watches.values(), *self._acting):
                task.cancel()
            await asyncio.gather(*working, *self._watches.values(), *self._acting, return_exceptions=True)

    async def begin(self) -> None:
        """Settle what an earlier bot has left, and tell who has to know."""
        store, outbox = self.desk.store, self.desk.outbox
        store.forget_old()
        outbox.recover()
        for job in await self.desk.jobs.recover():
            told = f"✗ Job {job.id}, {plain(job.title)}, ended with the bot. It was not started again."
            outbox.say(job.chat, told, once=f"lost-job:{job.id}")
        for act in store.db.execute("SELECT * FROM acts WHERE state = 'begun'").fetchall():
            told = f"The bot was stopped while it did {code(act['what'])}. Look before you repeat it: /status"
            outbox.say(act["chat"], told, once=f"broken-act:{act['update_id']}")
        store.db.execute("UPDATE acts SET state = 'broken' WHERE state = 'begun'")
        # Whoever has an answer of this bot hears of all that happens from then on, even from the bot after it.
        opening = [asyncio.create_task(watch.opened.wait()) for watch in self._watch()]
        if opening:
            _, late = await asyncio.wait(opening, timeout=OPENING)
            for task in late:
                task.cancel()

    def _watch(self) -> list[Watch]:
        fresh = [Watch(self.desk, place.name) for place in self.desk.projects.places if place.name not in self._watches]
        for watch in fresh:
            self._watches[watch.name] = asyncio.create_task(watch.run())
        return fresh

    async def _tick(self) -> None:
        while True:
            self._watch()
            for watch in self._watches.values():
                if watch.done():
                    watch.result()  # only a defect of ours ends one: the bot ends with it, rather than go on half deaf
            for person in self.desk.account().people:
                release(self.desk, person.chat, now=self._now())
            await asyncio.sleep(TICK)

    # ---- updates

    async def _updates(self) -> None:
        if (hook := self.desk.account().webhook) is not None:
            await receive(self.api, hook, partial(self.take_up, asked=False), self._nothing_waits)
        async for updates in batches(self.api, lambda: int(self.desk.store.get(TAKEN_UP) or -1) + 1):
            await self.take_up(updates)

    def _nothing_waits(self, moment: float) -> None:
        self.desk.store.put(POLLED, str(moment))

    async def take_up(self, updates: Sequence[dict[str, Any]], *, asked: bool = True) -> None:
        """Take up what Telegram has brought, in order; what was `asked` for may be all that there was."""
        since = float(self.desk.store.get(POLLED) or 0.0)
        for update in sorted(updates, key=lambda one: int(one["update_id"])):
            await self._one(int(update["update_id"]), update, since)
        if asked and len(updates) < BATCH:
            self.desk.store.put(POLLED, str(self._now()))

    async def _one(self, number: int, update: dict[str, Any], since: float) -> None:
        if number <= int(self.desk.store.get(TAKEN_UP) or -1):
            return
        account = self.desk.account()
        heard = self._heard(update, account, since)
        with self.desk.store.begin() as db:
            self.desk.store.put(TAKEN_UP, str(number))
            if isinstance(heard, Said | Pressed):
                what = self.desk.outbox.redact(heard.text)[:100] if isinstance(heard, Said) else "what a button said"
                row = (number, heard.person.user, heard.person.chat, what, self._now())
                db.execute("INSERT INTO acts VALUES (?, ?, ?, ?, 'begun', ?)", row)
        match heard:
            case Said():
                await self._act(number, self._said(number, heard, account))
            case Pressed():
                await self._act(number, self._pressed(number, heard))
            case Stranger():
                self._enrol(heard)
            case Nothing(query=str(query)):
                self._aside(self._toast(query, LATE))
            case Nothing():
                pass

    def _heard(self, update: dict[str, Any], account: Account, since: float) -> Heard:
        from telegram import Update

        try:
            made = Update.de_json(update, self.api)
        except (TypeError, ValueError, KeyError, AttributeError):
            made = None
        if made is None:
            return Nothing("has a shape that nobody knows")
        return judge(made, account.person, now=self._now(), since=since)

    async def _act(self, act: int, work: Coroutine[Any, Any, None]) -> None:
        """Do what was asked; after a second the next update does not wait for it any longer."""

        async def whole() -> None:
            await work
            self.desk.store.db.execute("UPDATE acts SET state = 'done' WHERE update_id = ?", (act,))

        await asyncio.wait({self._aside(whole())}, timeout=AWAIT)

    def _aside(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        return task

    # ---- acts

    async def _said(self, act: int, said: Said, account: Account) -> None:
        asked = self._asked(act, said.person)
        if said.reply_to is not None and not said.text.startswith("/"):
            taken = await asked.take_question(said.reply_to)
            if taken is not None:
                await self._guarded(asked, self._answered(asked, *taken, said.text))
                return
        try:
            order = parse(said.text, COMMANDS, bot=account.bot)
        except Refused as e:
            asked.say(plain(str(e), most=500))
            return
        if order is not None:
            await self._guarded(asked, self._carry_out(asked, order))
        elif not said.text.startswith("/"):
            asked.say(HELP)

    async def _answered(self, asked: Asked, ref: str, question: Question, text: str) -> None:
        """Carry out the order that a reply completes."""
        asked.project = question.project
        try:
            if await judging.still_as_shown(asked, question):
                words = grammar.words(text)
                await self._carry_out(asked, msgspec.structs.replace(question.order, text=words))
        except Refused as e:
            asked.keep_question(ref, question)
            asked.say(plain(str(e), most=500))
        except Unreachable:
            asked.keep_question(ref, question)
            raise

    async def _pressed(self, act: int, pressed: Pressed) -> None:
        asked = self._asked(act, pressed.person)
        press = self.desk.buttons.take(pressed.token, pressed.person.user)
        self._aside(self._toast(pressed.query, GONE if press is None else ""))
        if press is None:
            return
        if isinstance(press, Let):
            if (late := self._asking.answer(press, pressed.person.name)) is not None:
                asked.say(late)
            return
        if not isinstance(press, No):
            asked.project = press.project or asked.project
        match press:
            case Approve():
                work = judging.approve_shown(asked, press)
            case Reject():
                work = judging.ask_feedback(asked, press)
            case Ask(order=order):
                about = f"plan {order.number}" if order.number else "it"
                asked.ask([f"What is wrong with {about}?"], Question(press.project, order))
                return
            case Do(order=order):
                asked.confirmed = True
                work = self._carry_out(asked, order)
            case Run(order=order):
                work = self._carry_out(asked, order)
            case No():
                asked.say("Nothing was done.")
                return
        await self._guarded(asked, work)

    async def _carry_out(self, asked: Asked, order: Order) -> None:
        await HANDLERS[order.verb](asked, order)

    async def _guarded(self, asked: Asked, work: Coroutine[Any, Any, None]) -> None:
        """Let an act fail in words. Anything else than what a person can mend is told, and the bot goes on."""
        try:
            async with asyncio.timeout(TOO_LONG):
                await work
        except (LocalError, PlaneError) as e:
            asked.say(["✗ " + plain(e.message, most=600), *(prose(e.remedy, most=600) if e.remedy else [])])
        except TimeoutError:
            asked.say(f"✗ It did not end within {TOO_LONG:.0f} s. Look before you repeat it.")
        except Exception as e:
            # The edge: one update must not end the bot.
            asked.say(f"✗ The bot met an error it did not expect: {plain(type(e).__name__)}.")

    def _asked(self, act: int, person: Person) -> Asked:
        return Asked(self.desk, person, act, self.desk.chosen(person))

    async def _toast(self, query: str, text: str) -> None:
        """Let the phone's button rest. Nothing depends on it."""
        from telegram.error import TelegramError

        try:
            await self.api.answer_callback_query(query, text or None)
        except TelegramError:
            return

    # ---- the list

    def _enrol(self, stranger: Stranger) -> None:
        """Who types the code that the terminal shows is on the list; everybody else gets no answer at all."""
        if not self.enrolment.open or not self.enrolment.take(stranger.text):
            return
        person = self._listed(stranger)
        self.desk.outbox.say(
            person.chat, f"✓ {plain(person.name)}, this chat is on the list now. /help", once=f"enrolled:{person.user}"
        )
