"""A real PostgreSQL for the tests: one cluster per session, one migrated template, one database per test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from locus.server.db import embedded
from locus.server.db.embedded import Cluster
from locus.server.db.errors import DatabaseUnavailable
from locus.server.db.migrate import migrate

# A test's data need not survive a power failure. The product never changes these.
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
TEMPLATE = "template_migrated"


class Databases:
    """Databases on the cluster of this test session."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def make_template(self) -> None:
        """A database with the schema of this program and no rows, to copy from."""
        await self._command(f"CREATE DATABASE {TEMPLATE}")
        await migrate(self._cluster.dsn(TEMPLATE))

    @asynccontextmanager
    async def one(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """The dsn of a database that nobody else uses; dropped at the end, whoever is still connected."""
        name = f"test_{uuid4().hex}"
        # Copying files costs a third of writing every page to the log first.
        template = TEMPLATE if migrated else "template0"
        await self._command(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self._cluster.dsn(name)
        finally:
            await self._command(f"DROP DATABASE {name} WITH (FORCE)")

    async def _command(self, sql: str) -> None:
        connection = await asyncpg.connect(self._cluster.dsn("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def session() -> AsyncIterator[Databases]:
    """The cluster of a test session; without PostgreSQL its tests are skipped, or fail with LOCUS_REQUIRE_REAL=1."""
    with directory() as base:
        try:
            cluster = await embedded.ensure(base / "postgres", settings=FAST)
        except DatabaseUnavailable as error:
            if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
                raise
            pytest.skip(str(error))
        try:
            databases = Databases(cluster)
            await databases.make_template()
            yield databases
        finally:
            await cluster.close()


class directory:  # noqa: N801  # read as a word: with directory() as base
    """A temporary directory that root's unprivileged account can enter, unlike the ones that pytest makes."""

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix="locus-tests-")).resolve()
        self._path.chmod(0o711)
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
