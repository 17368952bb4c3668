"""What pressing a button can mean: a closed list of types, kept with the button and never sent to the phone."""

import msgspec

from locus.telegram.grammar import Order


class Do(msgspec.Struct, frozen=True, tag="do"):
    """Carry out an order that needed a second yes."""

    order: Order
    project: str


class No(msgspec.Struct, frozen=True, tag="no"):
    """Do nothing after all."""


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Carry out an order that needs no second yes."""

    order: Order
    project: str


class Approve(msgspec.Struct, frozen=True, tag="approve"):
    """Accept the work that was shown, and no later one: `fence` is the attempt's number."""

    project: str
    key: str
    fence: int


class Reject(msgspec.Struct, frozen=True, tag="reject"):
    """Ask what is missing in the work that was shown."""

    project: str
    key: str
    fence: int


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Ask for the words that an order needs; the answer is a reply."""

    order: Order
    project: str


class Let(msgspec.Struct, frozen=True, tag="let"):
    """Answer a question of an agent; `verdict` is one of `providers.asking.Verdict`."""

    question: str
    verdict: str


Press = Do | No | Run | Approve | Reject | Ask | Let


class Question(msgspec.Struct, frozen=True):
    """What a reply to one of our messages answers: the words of an order.

    `fence` is the attempt that was shown, where the order is about one.
    """

    project: str
    order: Order
    fence: int | None = None
