"""Routes of who is signed in: a person's sessions, and machines that ask to be let in."""

from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth import audit, devices, sessions
from locus.server.auth.audit import Action
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Person
from locus.server.auth.site import Site
from locus.server.db.pool import Pool, transaction
from locus.server.errors import NotFound
from locus.server.http.requests import Request
from locus.wire.base import Page
from locus.wire.people import DeviceAnswer, DeviceCode, DevicePoll, DeviceRequest, Session


@get("/me/sessions", operation_id="list_sessions", tags=["people"], opt={"newcomers": True})
async def list_sessions(person: NamedDependency[Person], pool: NamedDependency[Pool]) -> Page[Session]:
    """List the browsers that one is signed in with."""
    return Page(items=await sessions.living(pool, person.id, current=person.session_id))


@delete("/me/sessions/{session_id:uuid}", operation_id="revoke_session", tags=["people"], opt={"newcomers": True})
async def revoke_session(
    session_id: FromPath[UUID],
    request: Request,
    person: NamedDependency[Person],
    pool: NamedDependency[Pool],
    keyring: NamedDependency[Keyring],
) -> None:
    """Sign one of one's own browsers out."""
    async with transaction(pool) as db:
        if not await sessions.revoke(db, person.id, session_id):
            raise NotFound
        await audit.note(db, None, Action.SESSION_REVOKED, audit.by(request, person), user_id=person.id)
    keyring.forget()


@post("/device", operation_id="ask_for_device", tags=["people"], opt={"public": True, "limited": True})
async def ask_for_device(
    request: Request, pool: NamedDependency[Pool], site: NamedDependency[Site], data: JSONBody[DeviceRequest]
) -> DeviceCode:
    """Ask to be let in as a machine: a person compares the code on the page and decides."""
    async with transaction(pool) as db:
        asking = await devices.ask(db, data.machine, audit.address_of(request))
    return DeviceCode(
        device=asking.device,
        code=asking.code,
        url=site.url(f"/device?code={asking.code}"),
        expires_in_s=devices.MINUTES * 60,
        poll_s=devices.POLL,
    )


@post("/device/answer", operation_id="poll_device", tags=["people"], opt={"public": True}, status_code=200)
async def poll_device(pool: NamedDependency[Pool], data: JSONBody[DevicePoll]) -> DeviceAnswer:
    """Tell a machine that waits what was decided, and after the approval its key, once."""
    async with transaction(pool) as db:
        return await devices.answer(db, data.device)


ROUTES = [list_sessions, revoke_session, ask_for_device, poll_device]
