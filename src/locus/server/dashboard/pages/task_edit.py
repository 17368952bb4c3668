"""Editing a task: one field at a time, its checklist, and what people say about it.

A form says which state of the field it was made from. Somebody else's change of another field is no conflict; of the
same field it is shown beside one's own, and nothing is written until the person has decided.
"""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.dashboard import answers, forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.task import TASK
from locus.server.dashboard.pages.task_fields import FIELDS, current, fingerprint, resolved
from locus.server.dashboard.toast import Toast, Undo
from locus.server.db.pool import Db
from locus.server.errors import BadRequest
from locus.server.events.log import Log
from locus.server.tasks import actions, comments, store
from locus.wire.tasks import ChecklistItemDraft, CommentDraft, ItemEdit, Task, TaskEdit

LONG = ("title", "description")  # whose conflicts are settled in a field of their own


@post(TASK + "/edit", status_code=200)
async def edit(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, task: FromPath[str]
) -> Response[Any]:
    """Change one field: `field`, `value`, and `was`, the fingerprint of what the form was made from."""
    page.require()
    form = await forms.read(request)
    name = form.line("field")
    if name not in FIELDS:
        raise BadRequest("The form names no field of a task.")
    async with log.transaction(work=page.id) as db:
        # Everything that changes structure is locked before the task, as everywhere.
        one = await find(db, page, task)
        wanted = await resolved(db, one, name, FIELDS[name].said(form))
        asked = forms.wire(TaskEdit, {name: wanted})
        if (
            fingerprint(one, name) not in (form.line("was"), "")
            and current(one, name) != wanted
            and not form.flag("over")
        ):
            return conflict(page, one, name, wanted)
        new = await actions.edit(db, page.id, page.actor, one.id, asked, expected=one.version)
    return answers.done(page, f"/tasks/{new.key}", said(page, one, new, name))


def said(page: Page, old: Task, new: Task, name: str) -> Toast:
    """What has been changed, with the way back."""
    if current(old, name) == current(new, name):
        return Toast("Nothing was changed.", "said")
    before = current(old, name)
    undo = None
    if not isinstance(before, list):
        fields = {"field": name, "value": before or "", "was": fingerprint(new, name)}
        undo = Undo(page.url(f"/tasks/{new.key}/edit"), {key: str(value) for key, value in fields.items()})
    return Toast(f"{new.key}: {FIELDS[name].title} saved.", undo=undo)


def conflict(page: Page, task: Task, name: str, wanted: object) -> Response[bytes]:
    """Both sides of a conflict, for the person to decide."""
    field = FIELDS[name]
    return page.render(
        "task/conflict.html",
        status=409,
        task=task,
        name=name,
        title=field.title,
        long=name in LONG,
        theirs=current(task, name) if name in LONG else field.shown(current(task, name)),
        yours=wanted if name in LONG else field.shown(wanted),
        values=wanted if isinstance(wanted, list) else [wanted or ""],
        was=fingerprint(task, name),
        headers={"HX-Retarget": "#asks", "HX-Reswap": "innerHTML"},
    )


@post(TASK + "/items", status_code=200)
async def add_item(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, task: FromPath[str]
) -> Response[Any]:
    """Add an item to the end of the checklist."""
    page.require()
    form = await forms.read(request)
    check = form.optional("check")
    fields = {"text": form.line("text"), **({"check": check} if check else {}), "red_first": form.flag("red_first")}
    draft = forms.wire(ChecklistItemDraft, fields)
    async with log.transaction() as db:
        one = await find(db, page, task)
        wish = TaskEdit(checklist=[*kept(one), draft])
        await actions.edit(db, page.id, page.actor, one.id, wish, expected=one.version)
    return answers.done(page, f"/tasks/{one.key}", Toast(f"{one.key}: added to the checklist."))


@post(TASK + "/items/{item:str}", status_code=200)
async def edit_item(
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    task: FromPath[str],
    item: FromPath[str],
) -> Response[Any]:
    """Tick or reword an item."""
    page.require()
    form = await forms.read(request)
    fields: dict[str, object] = {"text": form.line("text")} if "text" in form else {"done": form.flag("done")}
    wish = forms.wire(ItemEdit, fields)
    async with log.transaction() as db:
        one = await find(db, page, task)
        await actions.edit_item(db, page.id, page.actor, one.id, item, wish)
    if "text" in form:
        return answers.done(page, f"/tasks/{one.key}", Toast(f"{one.key}: item saved."))
    word = "ticked" if form.flag("done") else "open again"
    undo = Undo(page.url(f"/tasks/{one.key}/items/{item}"), {"done": "" if form.flag("done") else "on"})
    return answers.done(page, f"/tasks/{one.key}", Toast(f"{one.key}: item {word}.", undo=undo))


@post(TASK + "/items/{item:str}/remove", status_code=200)
async def remove_item(
    page: NamedDependency[Page], log: NamedDependency[Log], task: FromPath[str], item: FromPath[str]
) -> Response[Any]:
    """Take an item off the checklist."""
    page.require()
    async with log.transaction() as db:
        one = await find(db, page, task)
        gone = next((entry for entry in one.checklist if entry.id == item), None)
        wish = TaskEdit(checklist=[draft for draft in kept(one) if draft.id != item])
        await actions.edit(db, page.id, page.actor, one.id, wish, expected=one.version)
    undo = None
    if gone is not None:
        fields = {"text": gone.text, "check": gone.check or "", "red_first": "on" if gone.red_first else ""}
        undo = Undo(page.url(f"/tasks/{one.key}/items"), fields)
    return answers.done(page, f"/tasks/{one.key}", Toast(f"{one.key}: item removed.", undo=undo))


@post(TASK + "/comments", status_code=200)
async def comment(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, task: FromPath[str]
) -> Response[Any]:
    """Say something about the task; the next attempt's agent reads it."""
    page.require()
    draft = forms.wire(CommentDraft, {"text": (await forms.read(request)).text("text").strip()})
    async with log.transaction() as db:
        one = await find(db, page, task)
        await comments.add(db, page.id, page.actor, one.id, draft)
    return answers.done(page, f"/tasks/{one.key}", Toast(f"{one.key}: comment added. The next attempt reads it."))


async def find(db: Db, page: Page, address: str) -> Task:
    """The task that an address names."""
    return await store.get(db, page.id, await store.find(db, page.id, address))


def kept(task: Task) -> list[ChecklistItemDraft]:
    """The checklist as it is, to be sent again."""
    return [
        ChecklistItemDraft(id=item.id, text=item.text, done=item.done, check=item.check, red_first=item.red_first)
        for item in task.checklist
    ]


ROUTES = [edit, add_item, edit_item, remove_item, comment]
