"""The command line of the server program, and what an operator does on the database without the server running."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from asyncpg import Record

from locus.server.auth import links
from locus.server.db import pool as pools
from locus.server.db.migrate import migrate
from locus.server.db.source import resolve
from locus.server.events.log import Log
from locus.server.settings import Settings, from_environment
from locus.server.workspaces import store
from locus.server.workspaces.bootstrap import mint_key, tidy
from locus.version import VERSION
from locus.wire.workspaces import Purpose

DEFAULT_DATA = "~/.local/share/locus/server"
MOST_DAYS = 365

FIND_WORKSPACE = "SELECT id, organization_id, name FROM workspaces WHERE id::text = lower($1) OR prefix = upper($1)"


class UsageError(Exception):
    """The command line asks for something that cannot be; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Serve:
    """What `serve` was asked for, beside the settings."""

    bootstrap: str | None
    mint: bool
    parent_pid: int | None


def parser() -> argparse.ArgumentParser:
    """The command line: serve, migrate, key, sign-in, organization."""
    top = argparse.ArgumentParser(prog="python -m locus.server", description="The control plane of Locus.")
    top.add_argument("--version", action="version", version=f"locus {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, metavar="DIR", help=f"the embedded database; default {DEFAULT_DATA}")
    shared.add_argument(
        "--database-url",
        metavar="URL",
        help="use this PostgreSQL instead; better given as DATABASE_URL when it has a password",
    )

    serve = commands.add_parser("serve", parents=[shared], help="answer requests until SIGTERM")
    serve.add_argument("--host", help="address to listen on; default 127.0.0.1")
    serve.add_argument("--port", type=int, help="0 takes any free one; default 4700")
    serve.add_argument("--log-format", choices=("json", "text"), help="of the log on stderr; default json")
    serve.add_argument("--bootstrap", metavar="NAME", help="on an empty database, make a workspace and a key")
    serve.add_argument("--mint", action="store_true", help="with --bootstrap: make a new key in any case")
    serve.add_argument("--parent-pid", type=int, metavar="PID", help="end when this process has ended")

    commands.add_parser("migrate", parents=[shared], help="bring the database up to date")

    key = commands.add_parser("key", parents=[shared], help="make an API key and print its secret")
    key.add_argument("--workspace", metavar="PREFIX|ID", help="what it opens; without, everything of the organization")
    key.add_argument("--organization", type=UUID, metavar="ID", help="needed when there are several")
    key.add_argument("--purpose", type=Purpose, choices=list(Purpose), default=Purpose.WORKER)
    key.add_argument("--name", default="operator", help="what lists will call it")
    key.add_argument("--days", type=int, metavar="N", default=90, help="until it expires; 0 is never")

    sign_in = commands.add_parser("sign-in", parents=[shared], help="make a link that signs a browser in once")
    sign_in.add_argument("--organization", type=UUID, metavar="ID", help="needed when there are several")

    organization = commands.add_parser("organization", parents=[shared], help="make an organization and a key for it")
    organization.add_argument("name", metavar="NAME")
    return top


def settings_of(given: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Settings from the environment, with what the command line says on top.

    Raises:
        UsageError: a value cannot be.
    """
    try:
        settings = from_environment(environ, data=Path(DEFAULT_DATA).expanduser())
    except ValueError as e:
        raise UsageError(str(e)) from e
    port = getattr(given, "port", None)
    if port is not None and not 0 <= port <= 65535:
        raise UsageError("--port must be between 0 and 65535.")
    log_format = getattr(given, "log_format", None) or settings.log_format
    if log_format not in ("json", "text"):
        raise UsageError('LOCUS_SERVER_LOG_FORMAT must be "json" or "text".')
    return replace(
        settings,
        data=given.data.expanduser().absolute() if given.data else settings.data,
        database_url=given.database_url or (None if given.data else settings.database_url),
        host=getattr(given, "host", None) or settings.host,
        port=settings.port if port is None else port,
        log_format=log_format,
    )


def serve_of(given: argparse.Namespace) -> Serve:
    if given.mint and not given.bootstrap:
        raise UsageError("--mint goes with --bootstrap NAME.")
    return Serve(bootstrap=given.bootstrap, mint=given.mint, parent_pid=given.parent_pid)


async def run_migrate(settings: Settings) -> list[str]:
    """Bring the database up to date; one line for each migration that was applied."""
    source = await resolve(settings.database_url, settings.data)
    try:
        applied = await migrate(source.dsn)
    finally:
        await source.close()
    return [f"applied {name}" for name in applied] or ["The database is up to date."]


async def run_key(settings: Settings, given: argparse.Namespace) -> list[str]:
    """Make a key; one line of JSON with its secret, which nobody can read again.

    Raises:
        UsageError: it isn't clear what the key is for.
    """
    if not 0 <= given.days <= MOST_DAYS:
        raise UsageError(f"--days must be between 0 (never) and {MOST_DAYS}.")
    source = await resolve(settings.database_url, settings.data)
    try:
        await migrate(source.dsn)
        pool = await pools.connect(source.dsn, size=1)
        try:
            organization_id, workspace_id = await meant(pool, given.organization, given.workspace)
            secret = await mint_key(
                pool,
                organization_id,
                workspace_id,
                name=tidy(given.name),
                purpose=given.purpose,
                days=given.days or None,
            )
        finally:
            await pool.close()
    finally:
        await source.close()
    workspace = str(workspace_id) if workspace_id else None
    return [json.dumps({"secret": secret, "purpose": given.purpose.value, "workspace_id": workspace})]


async def meant(db: pools.Db, organization: UUID | None, workspace: str | None) -> tuple[UUID, UUID | None]:
    """The organization and the workspace that the words of a command line mean."""
    if workspace is None:
        rows = await db.fetch("SELECT id AS organization_id, NULL::uuid AS id, name FROM organizations")
    else:
        rows = await db.fetch(FIND_WORKSPACE, workspace)
    fitting = [row for row in rows if organization in (None, row["organization_id"])]
    if len(fitting) != 1:
        raise UsageError(unclear(workspace, fitting))
    return fitting[0]["organization_id"], fitting[0]["id"]


def unclear(workspace: str | None, rows: Sequence[Record]) -> str:
    what = "organization" if workspace is None else f"workspace {workspace}"
    if not rows:
        return f"There is no such {what} in this database."
    known = "".join(f"\n  {row['organization_id']}  {row['name']}" for row in rows)
    return f"There are several; say which with --organization ID:{known}"


async def run_sign_in(settings: Settings, organization: UUID | None) -> list[str]:
    """Make a link that signs a browser in as the owner of an organization; one line of JSON with its path.

    Raises:
        UsageError: it isn't clear which organization is meant.
    """
    source = await resolve(settings.database_url, settings.data)
    try:
        await migrate(source.dsn)
        pool = await pools.connect(source.dsn, size=1)
        try:
            organization_id, _ = await meant(pool, organization, None)
            async with Log(pool).transaction() as db:
                path = await links.for_owner(db, organization_id)
        finally:
            await pool.close()
    finally:
        await source.close()
    return [json.dumps({"path": path, "minutes": links.MINUTES})]


async def run_organization(settings: Settings, name: str) -> list[str]:
    """Make an organization with an ADMIN key for it; one line of JSON with the secret."""
    source = await resolve(settings.database_url, settings.data)
    try:
        await migrate(source.dsn)
        pool = await pools.connect(source.dsn, size=1)
        try:
            async with Log(pool).transaction() as db:
                made = await store.create_organization(db, tidy(name))
                secret = await mint_key(db, made.id, None, name="operator", purpose=Purpose.ADMIN, days=90)
        finally:
            await pool.close()
    finally:
        await source.close()
    return [json.dumps({"organization_id": str(made.id), "name": made.name, "secret": secret})]
