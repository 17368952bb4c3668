"""The sprint of the demo: what a person would have planned."""

from msgspec import Struct

from locus.wire.tasks import Priority, Role

SPRINT = "Invoices that add up"
GOAL = "All tests of the invoices library are green."
CHECKS = ("model", "totals", "money", "discounts", "receipt", "search")


class PlannedTask(Struct, frozen=True, kw_only=True):
    """A task of the demo. `check` is the named check that proves it; `after` are the checks of the tasks before it."""

    title: str
    description: str
    check: str
    criterion: str
    priority: Priority
    role: Role = Role.BACKEND
    after: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


TASKS = (
    PlannedTask(
        title="Count the quantity of each line",
        description="`total()` adds up prices and forgets how many pieces a line has. [demo:totals]",
        check="totals",
        criterion="Three teas cost three times one tea",
        priority=Priority.CRITICAL,
        labels=("bug",),
    ),
    PlannedTask(
        title="Round half a cent away from zero",
        description="`cents()` rounds half to even, as banks do; shops round half up, also what they owe. [demo:money]",
        check="money",
        criterion="2.345 becomes 2.35",
        priority=Priority.HIGH,
        labels=("bug",),
    ),
    PlannedTask(
        title="Give a discount code its percentage",
        description="A new module `invoices/discounts.py` with `discount()` and `discounted()`; an unknown code is"
        " refused by name. [demo:discounts]",
        check="discounts",
        criterion="SPRING15 takes 15 % off",
        priority=Priority.HIGH,
        after=("totals", "money"),
    ),
    PlannedTask(
        title="Print a receipt with aligned amounts",
        description="`invoices/receipt.py` prints a line for each item, the discount and the total. [demo:receipt]",
        check="receipt",
        criterion="Amounts stand in one column",
        priority=Priority.CRITICAL,
        role=Role.FRONTEND,
        after=("discounts",),
    ),
    PlannedTask(
        title="Find customers whatever the case",
        description="`by_customer()` should not care about case or outer spaces. [demo:search]",
        check="search",
        criterion="STRAUSS finds Strauß",
        priority=Priority.LOW,
        role=Role.QA,
    ),
)
