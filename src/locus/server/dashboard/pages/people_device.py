"""A machine asks to be let in: its code, its name, what it will be allowed, and the decision."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from locus.server.auth import audit, codes, devices
from locus.server.auth.principals import Person, Principal
from locus.server.dashboard import alone, forms
from locus.server.dashboard.page import AnyRequest
from locus.server.dashboard.pages.people_fields import identifier
from locus.server.db.pool import Pool, transaction
from locus.server.errors import Invalid, NotFound, Refused
from locus.server.workspaces import store
from locus.wire.workspaces import Purpose

Code = Annotated[str, QueryParameter(max_length=40)]
MOST = 200  # workspaces to choose from

ALLOWS = {
    Purpose.MEMBER: "Work and plan: run agents, claim tasks, write tasks, sprints and docs, decide about results",
    Purpose.WORKER: "Work only: claim tasks and report on them",
    Purpose.READ: "Look only",
    Purpose.ADMIN: "Everything you may do, with workspaces and keys",
}


@get("/device")
async def look(
    request: AnyRequest,
    person: NamedDependency[Person],
    principal: NamedDependency[Principal],
    pool: NamedDependency[Pool],
    code: Code = "",
) -> Response[bytes]:
    """The machine that shows this code; without a code, the field for it."""
    return await shown(request, principal, pool, code)


async def shown(
    request: AnyRequest, principal: Principal, pool: Pool, code: str, *, status: int = 200, trouble: str = ""
) -> Response[bytes]:
    machine = await devices.waiting(pool, code) if code else None
    if code and machine is None and not trouble:
        status, trouble = 404, "No machine waits with this code. Codes are good for ten minutes, once."
    assert principal.role is not None
    mine = await store.page(pool, principal.workspaces, after=None, limit=MOST) if machine else []
    mine = [one for one in mine if one.organization_id == principal.organization_id]
    return alone.render(
        request,
        "people/device.html",
        status=status,
        code=codes.shown(codes.tidy(code)) if machine else "",
        machine=machine,
        workspaces=[(str(one.id), f"In {one.name} only") for one in mine],
        purposes=[(one.value, ALLOWS[one]) for one in devices.MAY_GIVE[principal.role]],
        days=devices.KEY_DAYS,
        trouble=trouble,
        done="",
    )


@post("/device")
async def decide(
    request: AnyRequest,
    person: NamedDependency[Person],
    principal: NamedDependency[Principal],
    pool: NamedDependency[Pool],
) -> Response[Any]:
    """Let the machine in, or send it away."""
    form = await forms.read(request)
    code, author = form.line("code"), audit.by(request, person)
    machine = await devices.waiting(pool, code)
    if form.line("decision") not in ("allow", "deny"):
        return await shown(request, principal, pool, code)
    try:
        if machine is None:
            raise NotFound("No machine waits with this code. Codes are good for ten minutes, once.")
        async with transaction(pool) as db:
            if form.line("decision") == "deny":
                await devices.deny(db, code, person.id, principal.organization_id, author)
            else:
                membership = next(one for one in person.memberships if one.organization_id == principal.organization_id)
                chosen = form.optional("workspace")
                workspace_id = identifier(chosen, "workspace") if chosen else None
                await devices.approve(db, code, membership, person.id, workspace_id, purpose_of(form), author)
    except Refused as e:
        return await shown(request, principal, pool, code, status=e.status, trouble=e.detail)
    allowed = form.line("decision") == "allow"
    return alone.render(
        request, "people/device.html", code="", machine=machine, trouble="", done="allowed" if allowed else "denied"
    )


def purpose_of(form: forms.Form) -> Purpose:
    try:
        return Purpose(form.line("purpose"))
    except ValueError as e:
        raise Invalid.field("purpose", "must be one of the choices") from e


ROUTES = [look, decide]
