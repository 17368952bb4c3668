"""What a handler of the bot works with: who asked, about which project, and the few ways to answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from locus.client.plane import ControlPlane
from locus.telegram.account import Account, Person
from locus.telegram.buttons import CONFIRM, Buttons
from locus.telegram.grammar import Order
from locus.telegram.jobs import Jobs
from locus.telegram.markup import Line
from locus.telegram.outbox import Button, Outbox, Rows
from locus.telegram.presses import Do, No, Press, Question
from locus.telegram.projects import Projects, Site
from locus.telegram.store import Store


class Desk(Struct, frozen=True):
    """The bot's parts. `account` reads the file anew: the terminal may have changed it."""

    account: Callable[[], Account]
    store: Store
    outbox: Outbox
    buttons: Buttons
    projects: Projects
    jobs: Jobs

    def chosen(self, person: Person) -> str | None:
        """The project that a person's chat is about."""
        name = self.store.get(f"project:{person.user}")
        places = self.projects.places
        if name is None or all(place.name != name for place in places):
            return places[0].name if places else None
        return name

    def choose(self, person: Person, name: str) -> None:
        self.store.put(f"project:{person.user}", name)


@dataclass
class Asked:
    """One order of one person. `act` is its number, under which it is answered once."""

    desk: Desk
    person: Person
    act: int
    project: str | None
    confirmed: bool = False
    _said: int = field(default=0, init=False)

    async def site(self) -> Site:
        """The project that is meant. Raises LocalError, PlaneError."""
        return await self.desk.projects.get(self.project)

    async def plane(self) -> ControlPlane:
        """Its control plane. Raises LocalError, PlaneError."""
        return (await self.site()).plane

    def say(
        self, lines: Sequence[Line] | str, *, buttons: Rows = (), ref: str | None = None, asks: bool = False
    ) -> None:
        """Answer. Whatever happens, each answer of an act is queued once."""
        self._said += 1
        self.desk.outbox.say(
            self.person.chat, lines, buttons=buttons, ref=ref, once=f"act:{self.act}:{self._said}", asks=asks
        )

    def button(self, label: str, press: Press, *, once: bool = True, lasts: float | None = None) -> Button:
        if lasts is None:
            return self.desk.buttons.make(label, self.person.user, press, once=once)
        return self.desk.buttons.make(label, self.person.user, press, once=once, lasts=lasts)

    def confirm(self, question: Sequence[Line] | str, yes: str, order: Order) -> None:
        """Ask before something that cannot be taken back; the answer counts once, for a minute, from this person."""
        buttons = [
            self.button(yes, Do(order, self.project or ""), lasts=CONFIRM),
            self.button("No", No(), lasts=CONFIRM),
        ]
        self.say(question, buttons=[buttons])

    # ---- questions, whose answer is a reply

    def ask(self, question: Sequence[Line], answered: Question) -> None:
        """Ask for words; what they are for is kept here until somebody replies."""
        ref = f"{QUESTION}{self.act}"
        self.desk.store.put(ref, msgspec.json.encode(answered).decode())
        self.say([*question, "Reply to this message."], ref=ref, asks=True)

    async def take_question(self, message_id: int) -> tuple[str, Question] | None:
        """The question that a reply answers, with its name; it can be answered once."""
        ref = await self.desk.outbox.known(self.person.chat, message_id)
        kept = self.desk.store.get(ref) if ref is not None and ref.startswith(QUESTION) else None
        if ref is None or kept is None:
            return None
        self.desk.store.put(ref, None)
        return ref, msgspec.json.decode(kept, type=Question)

    def keep_question(self, ref: str, question: Question) -> None:
        """Nobody has heard the answer: the same message may be answered again."""
        self.desk.store.put(ref, msgspec.json.encode(question).decode())


QUESTION = "question:"
Handler = Callable[[Asked, Order], Awaitable[None]]
