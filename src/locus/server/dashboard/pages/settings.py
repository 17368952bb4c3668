"""Settings of the workspace: its name, what new tasks begin with, what must be proved, what may be spent and told."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from locus.server.dashboard import answers, forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.sprints import version
from locus.server.dashboard.toast import Toast
from locus.server.errors import Invalid
from locus.server.events.log import Log
from locus.server.sprints import figures
from locus.server.workspaces import actions, store
from locus.wire.workspaces import Purpose, WorkspaceEdit

HERE = "/w/{workspace:str}/settings"
MICROS = 1_000_000  # of a dollar
MOST_USD = 1_000_000


@get(HERE)
async def settings(page: NamedDependency[Page], log: NamedDependency[Log]) -> Response[bytes]:
    """Everything that is set for this workspace."""
    spent, _ = await figures.last_day(log.pool, page.id)
    stored = await store.summaries(log.pool, page.id)
    return page.render("settings/workspace.html", here="settings", tab="workspace", spent=spent, summaries=stored)


@post(HERE + "/general")
async def general(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """The name, and how often a task may be attempted."""
    form = await asked(page, request)
    fields: dict[str, object] = {"name": form.line("name"), "attempt_cap": whole(form, "attempt_cap")}
    return await saved(page, log, form, fields, "The workspace is saved.")


@post(HERE + "/checklist")
async def checklist(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """What every new task has on its checklist: a line for each item, with `check:` in front of one that is proved."""
    form = await asked(page, request)
    items = [item(line.strip()) for line in form.text("items").splitlines() if line.strip()]
    return await saved(page, log, form, {"default_checklist": items}, "New tasks begin with this checklist.")


@post(HERE + "/checks")
async def checks(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """The checks without whose green evidence nothing goes to review."""
    form = await asked(page, request)
    names = form.text("checks").replace(",", " ").split()
    return await saved(page, log, form, {"required_checks": names}, "The required checks are saved.")


@post(HERE + "/budget")
async def budget(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """What the workspace means to spend in a day; empty: nothing is said."""
    form = await asked(page, request)
    fields: dict[str, object] = {
        "daily_budget_usd_micros": money(form.line("budget")),
        "budget_stops": form.flag("budget_stops"),
    }
    return await saved(page, log, form, fields, "The budget is saved.")


@post(HERE + "/summaries")
async def summaries(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Whether agents' words about finished work are taken; off, what there was is deleted."""
    form = await asked(page, request)
    wanted = form.flag("summaries")
    said = "Workers are told with their next task." if wanted else "No summaries are taken, and none are stored."
    return await saved(page, log, form, {"summaries": wanted}, said)


async def asked(page: Page, request: AnyRequest) -> forms.Form:
    """The form of somebody who may change settings."""
    page.require(Purpose.ADMIN)
    return await forms.read(request)


async def saved(page: Page, log: Log, form: forms.Form, fields: dict[str, object], said: str) -> Response[Any]:
    wanted, made_from = forms.wire(WorkspaceEdit, fields), version(form)
    async with log.transaction() as db:
        now = (await actions.edit(db, page.id, made_from, wanted, page.actor)).version
    # What stands in the page's other forms is still right: nothing lies between the two versions but this change.
    return answers.done(page, "/settings", Toast(said), version={"of": "workspace", "from": made_from, "to": now})


def item(line: str) -> dict[str, object]:
    """An item of the checklist from its line: `unit: The unit tests pass` is one that the check `unit` ticks.

    `unit!: …` also asks that the changed tests fail without the change.
    """
    name, colon, text = line.partition(":")
    red_first = name.endswith("!")
    check = name.removesuffix("!")
    if colon and text.strip() and check and check == check.lower() and not set(check) & set(" \t"):
        return {"text": text.strip(), "check": check, "red_first": red_first}
    return {"text": line}


def whole(form: forms.Form, name: str) -> int:
    said = form.line(name)
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Invalid.field(name, "must be a whole number")
    return int(said)


def money(said: str) -> int | None:
    """Dollars as people write them, in millionths."""
    plain = said.removeprefix("$").replace(",", "").strip()
    if not plain:
        return None
    try:
        amount = float(plain)
    except ValueError as e:
        raise Invalid.field("budget", "must be an amount in dollars, like 20 or 12.50") from e
    if not 0 < amount <= MOST_USD:
        raise Invalid.field("budget", f"must be above 0 and at most {MOST_USD:,}")
    return round(amount * MICROS)


ROUTES = [settings, general, checklist, checks, budget, summaries]
