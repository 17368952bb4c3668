"""People of a test, with roles, and browsers that are signed in as them."""

from dataclasses import dataclass
from uuid import UUID

import httpx
from tests.support.server import RunningServer

from locus.server.auth import csrf, sessions
from locus.server.auth.site import PLAIN
from locus.wire.workspaces import MemberRole, Organization

NEW_USER = "INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id"
JOIN = "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3)"


@dataclass(frozen=True)
class SomebodySignedIn:
    """A person and the secret of a session of theirs."""

    id: UUID
    name: str
    email: str
    secret: str

    @property
    def csrf_token(self) -> str:
        return csrf.token_of(self.secret)

    @property
    def cookie(self) -> dict[str, str]:
        """The session's cookie as Playwright takes it, with a `url` added: context.add_cookies([...])."""
        return {"name": PLAIN, "value": self.secret}

    def client(self, server: RunningServer) -> httpx.AsyncClient:
        """A browser without pages: it sends the cookie, says where a request comes from, and repeats the token.

        Close it, or use it as a context.
        """
        return httpx.AsyncClient(
            base_url=server.url,
            cookies={PLAIN: self.secret},
            headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin", csrf.HEADER: self.csrf_token},
            timeout=30,
        )


async def somebody(
    server: RunningServer,
    role: MemberRole | None = MemberRole.OWNER,
    *,
    name: str = "Ada",
    email: str | None = None,
    organization: Organization | None = None,
) -> SomebodySignedIn:
    """A new person, signed in; `role` in the server's organization or the given one, None: they belong to none."""
    count = await server.pool.fetchval("SELECT count(*) FROM users")
    email = email or f"{name.lower()}{count or ''}@example.org"
    user_id = await server.pool.fetchval(NEW_USER, name, email)
    if role is not None:
        await server.pool.execute(JOIN, (organization or server.organization).id, user_id, role.value)
    secret = await sessions.create(server.pool, user_id, method="link", browser="Test/1.0", address="127.0.0.1")
    return SomebodySignedIn(user_id, name, email, secret)
