"""Which PostgreSQL the server uses: the one of DATABASE_URL, else an embedded one."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from locus.server.db import embedded, pool
from locus.server.db.embedded import Cluster
from locus.server.db.errors import DatabaseUnavailable


@dataclass(frozen=True)
class Source:
    """A database to use, and the embedded cluster that has it, unless it is the operator's own."""

    dsn: str
    cluster: Cluster | None

    def __str__(self) -> str:
        if self.cluster is None:
            return pool.place(self.dsn)
        return f"embedded PostgreSQL in {self.cluster.home.root}"

    async def close(self) -> None:
        """Stop using it. The embedded cluster ends with its last user."""
        if self.cluster is not None:
            await self.cluster.close()


async def resolve(database_url: str | None, data: Path) -> Source:
    """The database of `database_url`, else the embedded one in `data`: the bundled PostgreSQL, else one of the machine.

    Raises:
        DatabaseUnavailable: the URL cannot be read, or no embedded PostgreSQL can be started. Whether the server
            of the URL answers is found out by the first connection.
    """
    if not database_url:
        cluster = await embedded.ensure(data)
        return Source(cluster.dsn(), cluster)
    if urlsplit(database_url).scheme not in ("postgres", "postgresql"):
        raise DatabaseUnavailable(
            "DATABASE_URL is not the address of a PostgreSQL.",
            remedy="Write it like postgresql://user:password@host:5432/database.",
        )
    return Source(database_url, None)
