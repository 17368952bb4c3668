"""Docs: a list by groups, one to read, an editor with preview, and what was before."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from locus.server.dashboard import answers, doc_changes, forms
from locus.server.dashboard.markdown import rendered
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.sprints import version
from locus.server.dashboard.rendering import html
from locus.server.dashboard.toast import Toast
from locus.server.docs import actions, history, store
from locus.server.errors import NotFound, Stale
from locus.server.events.log import Log
from locus.wire.base import MAX_DOC_BODY
from locus.wire.docs import Doc, DocDraft, DocEdit, DocGroupRename, DocKind

LISTED = 200
VERSIONS = 100
ALL = "/w/{workspace:str}/docs"
ONE = ALL + "/{doc:uuid}"
MOST = 4 * MAX_DOC_BODY  # bytes of a form: each letter may take three there
KINDS = {
    DocKind.GENERAL: "General",
    DocKind.PRD: "Requirements",
    DocKind.TECH_SPEC: "Technical",
    DocKind.ADR: "Decision",
    DocKind.API_DESIGN: "API",
}
# What a new doc begins with, so that nobody starts from nothing.
TEMPLATES = {
    DocKind.GENERAL: "",
    DocKind.PRD: "## Problem\n\n## Who has it\n\n## What success is\n\n## Not in scope\n",
    DocKind.TECH_SPEC: "## What changes\n\n## How\n\n## What can go wrong\n\n## How we know that it works\n",
    DocKind.ADR: "## Context\n\n## Decision\n\n## Consequences\n",
    DocKind.API_DESIGN: "## Resources\n\n## Requests and answers\n\n## Errors\n",
}

Text = Annotated[str | None, QueryParameter(max_length=200)]
Kind = Annotated[DocKind | None, QueryParameter()]
Group = Annotated[str | None, QueryParameter(max_length=100)]


async def shelf(page: Page, log: Log, *, text: str | None = None, kind: DocKind | None = None) -> dict[str, Any]:
    """The list beside every doc."""
    found = await store.page(log.pool, page.id, text=text or None, kind=kind, limit=LISTED)
    groups: dict[str, list[Any]] = {}
    for ref, _ in sorted(found, key=lambda one: one[0].title.lower()):
        groups.setdefault(ref.group, []).append(ref)
    ordered = sorted(groups.items(), key=lambda one: (one[0] == "", one[0].lower()))
    return {"here": "docs", "groups": ordered, "kinds": KINDS, "text": text or "", "kind": kind}


@get(ALL)
async def docs(
    page: NamedDependency[Page], log: NamedDependency[Log], text: Text = None, kind: Kind = None
) -> Response[bytes]:
    """The list, and the first step when it is empty."""
    return page.render("docs/all.html", doc=None, **await shelf(page, log, text=text, kind=kind))


@get(ALL + "/new")
async def new(
    page: NamedDependency[Page], log: NamedDependency[Log], kind: Kind = None, group: Group = None
) -> Response[bytes]:
    """An empty editor."""
    page.require()
    chosen = kind or DocKind.GENERAL
    return page.render(
        "docs/edit.html",
        doc=None,
        chosen=chosen,
        body=TEMPLATES[chosen],
        group=group or "",
        theirs=None,
        mine=None,
        **{**await shelf(page, log), "kind": None},
    )


@post(ALL, request_max_body_size=MOST)
async def create(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Write a doc."""
    page.require()
    form = await forms.read(request)
    draft = forms.wire(DocDraft, written(form))
    async with log.transaction() as db:
        made = await actions.create(db, page.id, draft, page.actor)
    return answers.gone(page, f"/docs/{made.id}", Toast(f"{made.title} is saved."))


@get(ONE)
async def doc(page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID]) -> Response[bytes]:
    """One doc to read."""
    found = await get_or_404(page, log, doc)
    return page.render(
        "docs/one.html",
        doc=found,
        named_in=await history.tasks(log.pool, page.id, doc),
        versions=await history.listed(log.pool, page.id, doc, limit=1),
        **await shelf(page, log),
    )


@get(ONE + "/edit")
async def editor(page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID]) -> Response[bytes]:
    """The editor of a doc."""
    page.require()
    return await editing(page, log, await get_or_404(page, log, doc))


@post(ONE + "/edit", request_max_body_size=MOST)
async def edit(
    page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID], request: AnyRequest
) -> Response[Any]:
    """Save a doc; when somebody else has saved it meanwhile, both texts are shown and nothing is lost."""
    page.require()
    form = await forms.read(request)
    wanted = forms.wire(DocEdit, written(form))
    try:
        async with log.transaction() as db:
            made = await actions.edit(db, page.id, doc, version(form), wanted, page.actor)
    except Stale:
        return await editing(page, log, await get_or_404(page, log, doc), mine=form, status=409)
    return answers.gone(page, f"/docs/{made.id}", Toast(f"{made.title} is saved."))


@post(ONE + "/group")
async def regroup(
    page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID], request: AnyRequest
) -> Response[Any]:
    """Put a doc into another group."""
    page.require()
    form = await forms.read(request)
    async with log.transaction() as db:
        wish = forms.wire(DocEdit, {"group": form.line("group")})
        made = await actions.edit(db, page.id, doc, None, wish, page.actor)
    return answers.done(page, f"/docs/{made.id}", Toast(f"{made.title} is in {made.group or 'no group'}."))


@post(ONE + "/delete")
async def delete(
    page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID], request: AnyRequest
) -> Response[Any]:
    """Delete a doc."""
    page.require()
    form = await forms.read(request)
    async with log.transaction() as db:
        await actions.delete(db, page.id, doc, version(form), page.actor)
    return answers.gone(page, "/docs", Toast("The doc is deleted."))


@post(ALL + "/groups/rename")
async def rename(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Rename a group, or dissolve it."""
    page.require()
    form = await forms.read(request)
    wish = forms.wire(DocGroupRename, {"old": form.line("old"), "new": form.line("new")})
    async with log.transaction() as db:
        await actions.rename_group(db, page.id, wish, page.actor)
    said = f"The group is {wish.new} now." if wish.new else "The group is dissolved."
    return answers.done(page, "/docs", Toast(said))


@post(ALL + "/preview", request_max_body_size=MOST, status_code=200)
async def preview(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """What a text will look like."""
    form = await forms.read(request)
    return html(f'<div class="prose" id="preview">{rendered(form.text("text"))}</div>')


@get(ONE + "/history")
async def versions(page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID]) -> Response[bytes]:
    """Every version that is kept."""
    found = await get_or_404(page, log, doc)
    kept = await history.listed(log.pool, page.id, doc, limit=VERSIONS)
    return page.render("docs/history.html", doc=found, versions=kept, old=None, **await shelf(page, log))


@get(ONE + "/history/{edition:int}")
async def old(
    page: NamedDependency[Page], log: NamedDependency[Log], doc: FromPath[UUID], edition: FromPath[int]
) -> Response[bytes]:
    """One version, and what the edit had changed."""
    found = await get_or_404(page, log, doc)
    kept = await history.listed(log.pool, page.id, doc, limit=VERSIONS)
    if edition not in {one.version for one in kept}:
        raise NotFound
    then = await history.get(log.pool, page.id, doc, edition)
    before = await history.get(log.pool, page.id, doc, edition - 1)
    assert then is not None
    return page.render(
        "docs/history.html",
        doc=found,
        versions=kept,
        old=then,
        lines=doc_changes.between(before.text if before else "", then.text),
        **await shelf(page, log),
    )


async def editing(
    page: Page, log: Log, doc: Doc, *, mine: forms.Form | None = None, status: int = 200
) -> Response[bytes]:
    """The editor; with `mine`, what the reader wrote beside what is there now."""
    return page.render(
        "docs/edit.html",
        status=status,
        doc=doc,
        chosen=doc.kind,
        body=doc.text,
        group=doc.group,
        theirs=doc if mine else None,
        mine=written(mine) if mine else None,
        **{**await shelf(page, log), "kind": None},
    )


async def get_or_404(page: Page, log: Log, doc_id: UUID) -> Doc:
    found = await store.get(log.pool, page.id, doc_id)
    if found is None:
        raise NotFound
    return found


def written(form: forms.Form) -> dict[str, object]:
    return {
        "title": form.line("title"),
        "kind": form.line("kind"),
        "group": form.line("group"),
        "text": form.text("text"),
    }


ROUTES = [docs, new, create, doc, editor, edit, regroup, delete, rename, preview, versions, old]
