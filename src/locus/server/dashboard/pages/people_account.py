"""One's own account: the name, the address, the browsers that are signed in, the organizations, the end."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from locus.server.auth import audit, codes, sessions, sign_in, users
from locus.server.auth.audit import Action
from locus.server.auth.bearer import NEWCOMERS
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Person
from locus.server.auth.sign_in import Door
from locus.server.auth.site import Site
from locus.server.dashboard import alone, forms
from locus.server.dashboard.page import AnyRequest
from locus.server.dashboard.pages.people_sign_in import visit_of
from locus.server.db.pool import Pool, transaction
from locus.server.errors import Invalid, NotFound, Refused
from locus.server.workspaces import members
from locus.wire.base import Name
from locus.wire.people import Email

EMAIL_COOKIE = "locus-email"
LINES = 20  # of one's own history
OPEN = {NEWCOMERS: True}
# In the order in which they are looked for: browsers name each other.
PROGRAMS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
DELETE_WORDS = "delete my account"


@get("/account", opt=OPEN)
async def account(request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool]) -> Response[bytes]:
    """Everything about the person who looks."""
    return await shown(request, person, pool)


async def shown(
    request: AnyRequest, person: Person, pool: Pool, *, status: int = 200, trouble: str = ""
) -> Response[bytes]:
    living = await sessions.living(pool, person.id, current=person.session_id)
    return alone.render(
        request,
        "people/account.html",
        status=status,
        person=person,
        sessions=[{**msgspec.structs.asdict(one), "called": called(one.browser)} for one in living],
        entries=await audit.of_person(pool, person.id, limit=LINES),
        here=person.membership(),
        trouble=trouble,
        words_to_delete=DELETE_WORDS,
    )


@post("/account/name", opt=OPEN)
async def rename(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Change one's name; what was written before keeps the old one."""
    form = await forms.read(request)
    try:
        name = msgspec.convert(form.line("name"), Name)
    except msgspec.ValidationError:
        return await shown(request, person, pool, status=422, trouble="A name has 1 to 100 visible characters.")
    async with transaction(pool) as db:
        await users.rename(db, person.id, name)
        await audit.note(db, None, Action.ACCOUNT_RENAMED, audit.by(request, person), user_id=person.id, detail=name)
    keyring.forget()
    return Redirect("/account", status_code=303)


@post("/account/email", opt=OPEN)
async def ask_for_email(
    request: AnyRequest,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    door: NamedDependency[Door],
    site: NamedDependency[Site],
) -> Response[Any]:
    """Send a code to the address that one wants to have."""
    form = await forms.read(request)
    try:
        email = msgspec.convert(form.line("email").lower(), Email)
        secret = await sign_in.ask_for_email(pool, door, person.id, email, visit_of(request))
    except msgspec.ValidationError:
        return await shown(request, person, pool, status=422, trouble="This is not an e-mail address.")
    except Refused as e:
        return await shown(request, person, pool, status=e.status, trouble=e.detail)
    cookie = site.cookie(EMAIL_COOKIE, secret, seconds=codes.MINUTES * 60)
    return Redirect("/account/email", status_code=303, cookies=[cookie])


@get("/account/email", opt=OPEN)
async def ask_for_code(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], site: NamedDependency[Site]
) -> Response[bytes]:
    """Ask for the code that proves the new address."""
    return await code_page(request, pool, site)


async def code_page(
    request: AnyRequest, pool: Pool, site: Site, *, status: int = 200, wrong: str = ""
) -> Response[bytes]:
    waiting = await codes.waiting(pool, request.cookies.get(site.named(EMAIL_COOKIE)))
    context: dict[str, Any] = {"next": "/account", "waiting": waiting, "wrong": wrong}
    return alone.render(
        request, "people/code.html", status=status, action="/account/email/code", back="/account", **context
    )


@post("/account/email/code", opt=OPEN)
async def change_email(
    request: AnyRequest,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    site: NamedDependency[Site],
    keyring: NamedDependency[Keyring],
) -> Response[Any]:
    """Take the address that the code proves."""
    form = await forms.read(request)
    asked = request.cookies.get(site.named(EMAIL_COOKIE))
    try:
        await sign_in.change_email(pool, person.id, asked, form.line("code"), audit.by(request, person))
    except Invalid as e:
        return await code_page(request, pool, site, status=422, wrong=e.errors[0].message)
    except Refused as e:
        return await shown(request, person, pool, status=e.status, trouble=e.detail)
    keyring.forget()
    return Redirect("/account", status_code=303, cookies=[site.cookie(EMAIL_COOKIE, "", seconds=0)])


@post("/account/sessions/{session_id:uuid}/revoke", opt=OPEN)
async def revoke(
    session_id: FromPath[UUID],
    request: AnyRequest,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    keyring: NamedDependency[Keyring],
) -> Redirect:
    """Sign one browser out."""
    async with transaction(pool) as db:
        if not await sessions.revoke(db, person.id, session_id):
            raise NotFound
        await audit.note(db, None, Action.SESSION_REVOKED, audit.by(request, person), user_id=person.id)
    keyring.forget()
    return Redirect("/account", status_code=303)


@post("/account/sessions/others", opt=OPEN)
async def revoke_others(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], keyring: NamedDependency[Keyring]
) -> Redirect:
    """Sign every other browser out."""
    async with transaction(pool) as db:
        count = await sessions.revoke_others(db, person.id, person.session_id)
        author = audit.by(request, person)
        await audit.note(db, None, Action.SESSION_REVOKED, author, user_id=person.id, detail=f"{count} others")
    keyring.forget()
    return Redirect("/account", status_code=303)


@post("/account/organization", opt=OPEN)
async def look_at(
    request: AnyRequest, person: NamedDependency[Person], pool: NamedDependency[Pool], keyring: NamedDependency[Keyring]
) -> Redirect:
    """Look at another organization that one belongs to."""
    wanted = (await forms.read(request)).line("organization")
    found = [one for one in person.memberships if str(one.organization_id) == wanted]
    if not found:
        raise NotFound
    async with transaction(pool) as db:
        await sessions.look_at(db, person.id, person.session_id, found[0].organization_id)
    keyring.forget()
    return Redirect("/", status_code=303)


@post("/account/delete", opt=OPEN)
async def delete(
    request: AnyRequest,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    keyring: NamedDependency[Keyring],
    site: NamedDependency[Site],
) -> Response[Any]:
    """Delete one's account: its memberships, sessions and own keys. What one wrote stays."""
    form = await forms.read(request)
    if form.line("confirm").lower() != DELETE_WORDS:
        return await shown(request, person, pool, status=409, trouble=f"Type “{DELETE_WORDS}” to delete your account.")
    try:
        async with transaction(pool) as db:
            await members.check_may_go(db, person.id)
            author = audit.by(request, person)
            for one in person.memberships:
                await members.remove(db, one.organization_id, person.id, person.id, author)
            await audit.note(db, None, Action.ACCOUNT_DELETED, author, user_id=person.id, subject=person.email or "")
            await users.delete(db, person.id)
    except Refused as e:
        return await shown(request, person, pool, status=e.status, trouble=e.detail)
    keyring.forget()
    return Redirect("/sign-in", status_code=303, cookies=[site.signed_out()])


def called(browser: str) -> str:
    """A browser in words that its owner knows: Firefox on Linux."""
    program = next((name for mark, name in PROGRAMS if mark in browser), browser.split("/")[0][:40] or "A browser")
    system = next((name for mark, name in SYSTEMS if mark in browser), "")
    return f"{program} on {system}" if system else program


ROUTES = [
    account,
    rename,
    ask_for_email,
    ask_for_code,
    change_email,
    revoke,
    revoke_others,
    look_at,
    delete,
]
