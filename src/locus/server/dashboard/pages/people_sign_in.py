"""Signing in with a browser and out again: by a code from a mail, or by the one-time link of an operator."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from locus.server.auth import audit, bearer, codes, links, sessions, sign_in, users
from locus.server.auth.audit import Action
from locus.server.auth.bearer import NEWCOMERS, PUBLIC
from locus.server.auth.keyring import Keyring
from locus.server.auth.oauth import Providers
from locus.server.auth.principals import Person
from locus.server.auth.sign_in import Door, Visit
from locus.server.auth.site import Site
from locus.server.dashboard import alone, forms
from locus.server.dashboard.alone import Next
from locus.server.dashboard.page import AnyRequest
from locus.server.db.pool import Pool, transaction
from locus.server.errors import Invalid, TooMany
from locus.wire.people import Email

CODE_COOKIE = "locus-code"
ONCE = links.PATH + "{token:str}"


@get("/sign-in", opt={PUBLIC: True})
async def ask(
    request: AnyRequest,
    keyring: NamedDependency[Keyring],
    site: NamedDependency[Site],
    providers: NamedDependency[Providers],
    next_: Next = None,
) -> Response[bytes]:
    """Ask for the e-mail address; whoever is signed in already goes on."""
    secret = bearer.session_secret(request, site)
    if secret is not None and await keyring.person(secret) is not None:
        return Redirect(alone.within(next_), status_code=303)
    return alone.render(request, "people/sign_in.html", next=alone.within(next_), providers=providers.names, email="")


@post("/sign-in", opt={PUBLIC: True})
async def send_code(
    request: AnyRequest,
    pool: NamedDependency[Pool],
    door: NamedDependency[Door],
    site: NamedDependency[Site],
    providers: NamedDependency[Providers],
) -> Response[bytes]:
    """Send a code. The answer is the same for every address, whether it has an account or not."""
    form = await forms.read(request)
    given, wanted = form.line("email"), form.line("next")
    status, wrong = 422, ""
    try:
        email = msgspec.convert(given.lower(), Email)
        secret = await sign_in.ask(pool, door, email, visit_of(request))
    except msgspec.ValidationError:
        wrong = "This is not an e-mail address."
    except TooMany as e:
        status, wrong = e.status, e.detail
    else:
        cookie = site.cookie(CODE_COOKIE, secret, seconds=codes.MINUTES * 60)
        there = alone.with_next("/sign-in/code", wanted)
        return Redirect(there, status_code=303, cookies=[cookie])
    context: dict[str, Any] = {
        "next": alone.within(wanted),
        "providers": providers.names,
        "email": given[:254],
        "wrong": wrong,
    }
    return alone.render(request, "people/sign_in.html", status=status, **context)


@get("/sign-in/code", opt={PUBLIC: True})
async def ask_code(
    request: AnyRequest, pool: NamedDependency[Pool], site: NamedDependency[Site], next_: Next = None
) -> Response[bytes]:
    """Ask for the code that was sent."""
    waiting = await codes.waiting(pool, request.cookies.get(site.named(CODE_COOKIE)))
    if waiting is None:
        return Redirect(alone.with_next("/sign-in", next_), status_code=303)
    return alone.render(request, "people/code.html", next=alone.within(next_), waiting=waiting, wrong="")


@post("/sign-in/code", opt={PUBLIC: True})
async def use_code(
    request: AnyRequest, pool: NamedDependency[Pool], door: NamedDependency[Door], site: NamedDependency[Site]
) -> Response[bytes]:
    """Sign in with the right code; a wrong one counts, and after five the browser asks for a new one."""
    form = await forms.read(request)
    asked = request.cookies.get(site.named(CODE_COOKIE))
    try:
        secret = await sign_in.with_code(pool, door, asked, form.line("code"), visit_of(request))
    except Invalid as e:
        waiting = await codes.waiting(pool, asked)
        there = alone.within(form.line("next"))
        wrong = e.errors[0].message
        return alone.render(request, "people/code.html", status=422, next=there, waiting=waiting, wrong=wrong)
    cookies = [site.signed_in(secret), site.cookie(CODE_COOKIE, "", seconds=0)]
    return Redirect(alone.within(form.line("next")), status_code=303, cookies=cookies)


@get(ONCE, opt={PUBLIC: True})
async def once(request: AnyRequest, token: FromPath[str], pool: NamedDependency[Pool]) -> Response[bytes]:
    """Ask before signing in: programs that look at a link, such as previews, must not use it up."""
    good = await links.is_good(pool, token)
    return alone.render(request, "people/once.html", status=200 if good else 410, good=good, minutes=links.MINUTES)


@post(ONCE, opt={PUBLIC: True})
async def use_once(
    request: AnyRequest, token: FromPath[str], pool: NamedDependency[Pool], site: NamedDependency[Site]
) -> Response[bytes]:
    """Sign the browser in and use the link up."""
    async with transaction(pool) as db:
        user_id = await links.use(db, token)
        user = await users.get(db, user_id) if user_id else None
        secret = await sign_in.begin(db, user, "link", visit_of(request)) if user else None
    if secret is None:
        return alone.render(request, "people/once.html", status=410, good=False, minutes=links.MINUTES)
    return Redirect("/", status_code=303, cookies=[site.signed_in(secret)])


@post("/sign-out", opt={NEWCOMERS: True})
async def sign_out(
    request: AnyRequest,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    keyring: NamedDependency[Keyring],
    site: NamedDependency[Site],
) -> Redirect:
    """End this session."""
    async with transaction(pool) as db:
        await sessions.revoke(db, person.id, person.session_id)
        await audit.note(db, None, Action.SIGNED_OUT, audit.by(request, person), user_id=person.id)
    keyring.forget()
    return Redirect("/sign-in", status_code=303, cookies=[site.signed_out()])


def visit_of(request: AnyRequest) -> Visit:
    """The browser of a request."""
    return Visit(audit.browser_of(request), audit.address_of(request))


ROUTES = [ask, send_code, ask_code, use_code, once, use_once, sign_out]
