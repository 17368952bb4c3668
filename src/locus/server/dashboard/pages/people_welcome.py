"""The first steps: an organization, a workspace, a repository, a key; and coming in by an invitation."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from locus.server.auth import audit, sessions, users
from locus.server.auth.audit import Action
from locus.server.auth.bearer import NEWCOMERS
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Membership, Person, Principal
from locus.server.auth.site import Site
from locus.server.dashboard import alone, forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.people_fields import identifier
from locus.server.db.pool import Pool, transaction
from locus.server.errors import Forbidden, Refused
from locus.server.events.log import Actor, Log
from locus.server.workspaces import actions, invitations, members
from locus.server.workspaces.actions import prefix_for
from locus.wire.base import Name
from locus.wire.workspaces import Purpose, WorkspaceDraft

OPEN = {NEWCOMERS: True}
MOST_FOUNDED = 5  # organizations that one person may own


@get("/welcome", opt=OPEN)
async def welcome(request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool]) -> Response[Any]:
    """The step that comes next: an organization, or its first workspace; then the workspace itself shows the way."""
    return await step(request, person, pool)


async def step(
    request: AnyRequest, person: Person, pool: Pool, *, status: int = 200, trouble: str = "", **given: str
) -> Response[Any]:
    membership = person.membership()
    if membership is None:
        waiting = await invitations.for_email(pool, person.email)
        return alone.render(
            request,
            "people/welcome_organization.html",
            status=status,
            person=person,
            waiting=waiting,
            trouble=trouble,
            given=given,
        )
    if membership.workspaces and not trouble:
        return Redirect("/", status_code=303)
    return next_workspace(request, person, membership, status=status, trouble=trouble, **given)


def next_workspace(
    request: AnyRequest,
    person: Person,
    membership: Membership,
    *,
    status: int = 200,
    trouble: str = "",
    **given: str,
) -> Response[Any]:
    """The form of a workspace, the first or another one."""
    may = (principal := person.principal()) is not None and principal.may(Purpose.ADMIN)
    return alone.render(
        request,
        "people/welcome_workspace.html",
        status=status,
        membership=membership,
        may=may,
        trouble=trouble,
        given=given,
    )


@post("/welcome/organization", opt=OPEN)
async def found(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Found an organization; whoever does so owns it."""
    form = await forms.read(request)
    name, own = form.line("organization"), form.line("name") or person.name
    try:
        msgspec.convert([name, own], list[Name])
    except msgspec.ValidationError:
        return await step(request, person, pool, status=422, trouble="A name has 1 to 100 visible characters.")
    author = audit.by(request, person)
    async with transaction(pool) as db:
        if sum(one.role.value == "OWNER" for one in person.memberships) >= MOST_FOUNDED:
            raise Forbidden(f"You own {MOST_FOUNDED} organizations already.")
        if own != person.name:
            await users.rename(db, person.id, own)
            await audit.note(db, None, Action.ACCOUNT_RENAMED, author, user_id=person.id, detail=own)
        made = await members.found(db, person.id, name, author)
        await sessions.look_at(db, person.id, person.session_id, made.id)
    keyring.forget()
    return Redirect("/welcome", status_code=303)


@get("/welcome/workspace")
async def another_workspace(
    request: AnyRequest, person: NamedDependency[Person], principal: NamedDependency[Principal]
) -> Response[Any]:
    """The form of one more workspace."""
    principal.require(Purpose.ADMIN)
    membership = person.membership()
    if membership is None:
        return Redirect("/welcome", status_code=303)
    return next_workspace(request, person, membership)


@post("/welcome/workspace")
async def first_workspace(
    request: AnyRequest,
    person: NamedDependency[Person],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> Response[Any]:
    """Make a workspace for a repository."""
    principal.require(Purpose.ADMIN)
    form = await forms.read(request)
    name = form.line("name")
    prefix = form.line("prefix").upper() or prefix_for(name)
    try:
        draft = forms.wire(WorkspaceDraft, {"name": name, "prefix": prefix})
        async with log.transaction() as db:
            author = audit.by(request, principal)
            made = await actions.create(db, principal.organization_id, draft, Actor.of(principal), author)
    except Refused as e:
        return await step(request, person, log.pool, status=e.status, trouble=e.detail, name=name, prefix=prefix)
    keyring.forget()
    return Redirect(f"/w/{made.id}/welcome", status_code=303)


@get("/w/{workspace:str}/welcome")
async def connect(page: NamedDependency[Page], site: NamedDependency[Site]) -> Response[bytes]:
    """How a repository and a machine come to this workspace."""
    return page.render("people/welcome_repository.html", here="", server=site.origin)


@get(invitations.PATH + "{token:str}", opt=OPEN)
async def look(
    request: AnyRequest, token: FromPath[str], person: NamedDependency[Person], pool: NamedDependency[Pool]
) -> Response[bytes]:
    """Look at an invitation; only whom it is for sees what is in it."""
    waiting = await invitations.by_token(pool, token)
    mine = waiting if waiting is not None and waiting.email == person.email else None
    status = 200 if mine else 410 if waiting is None else 403
    return alone.render(
        request, "people/invitation.html", status=status, waiting=mine, foreign=waiting is not None, person=person
    )


@post("/welcome/join", opt=OPEN)
async def join(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], keyring: NamedDependency[Keyring]
) -> Redirect:
    """Accept an invitation of one's own address."""
    wanted: UUID = identifier((await forms.read(request)).line("invitation"), "invitation")
    async with transaction(pool) as db:
        author = audit.by(request, person)
        organization_id = await invitations.accept(db, wanted, person.id, person.email, author)
        await sessions.look_at(db, person.id, person.session_id, organization_id)
    keyring.forget()
    return Redirect("/", status_code=303)


ROUTES = [welcome, found, another_workspace, first_workspace, connect, look, join]
