"""The control plane: an answer, a key that is good for long enough, a workspace."""

from datetime import UTC, datetime, timedelta

from locus.client.errors import NotSignedIn, PlaneError, Unreachable
from locus.client.plane import ControlPlane
from locus.client.workspaces import choose
from locus.local import credentials, errors
from locus.local.directories import directories
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.egress.log import EgressLog
from locus.version import VERSION
from locus.wire.workspaces import Me, Purpose

SOON = timedelta(days=7)
_LOOKERS = (Purpose.READ,)


async def look(server: str, workspace: str | None) -> list[Finding]:
    """Look whether the server of the settings answers and takes our key."""
    try:
        credential = credentials.find(server)
    except errors.LocalError as error:
        return [failed("key", error.message, error.remedy)]
    try:
        log = EgressLog(directories().state)
        async with ControlPlane(server, credential.secret, credential.workspace_id, egress=log) as plane:
            me = await plane.me()
            findings = [_answers(server, me), _key(me)]
            try:
                found = await choose(plane.transport, workspace or credential.workspace_prefix)
            except PlaneError as error:
                return [*findings, failed("workspace", error.message, error.remedy)]
    except NotSignedIn as error:
        return [
            ok("server", f"{server} answers"),
            failed(
                "key", error.message, error.remedy or "Sign in again: locus login, or locus up for one of your own."
            ),
        ]
    except Unreachable as error:
        return [failed("server", error.message, error.remedy or "Start it: locus up")]
    except PlaneError as error:
        return [failed("server", error.message, error.remedy)]
    return [*findings, ok("workspace", f"{found.name} ({found.prefix})")]


def _answers(server: str, me: Me) -> Finding:
    if me.server_version.split(".")[:2] != VERSION.split(".")[:2]:
        return warning(
            "server",
            f"{server} is version {me.server_version}, and this is {VERSION}.",
            "Bring the older one up to date.",
        )
    return ok("server", f"{server} answers (version {me.server_version})")


def _key(me: Me) -> Finding:
    says = f"The key {me.name!r} opens {me.organization.name} ({me.purpose})"
    if me.purpose in _LOOKERS:
        return failed("key", f"{says}: it may look, but not work.", "Sign in with a key for workers: locus login")
    if me.expires_at is not None and me.expires_at - datetime.now(UTC) < SOON:
        return warning("key", f"{says}, until {me.expires_at.astimezone():%d %B %H:%M}.", "Get a new one in time.")
    return ok("key", says)
