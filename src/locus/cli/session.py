"""From flags to things: settings, the project, an open control plane. Commands begin here."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from locus.cli.invocation import Invocation
from locus.local import project
from locus.local.directories import directories
from locus.local.settings import Settings, Value, load
from locus.wire.workspaces import Workspace

if TYPE_CHECKING:
    from locus.client.plane import ControlPlane
    from locus.local.credentials import Credential
    from locus.local.egress.log import EgressLog

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end. Ctrl+C cancels it and rises as KeyboardInterrupt."""
    return asyncio.run(work)


def root(here: Invocation) -> Path | None:
    """The repository that the command was started in, if any."""
    return project.find_or_none(here.cwd)


def settings(here: Invocation, **flags: Value) -> Settings:
    """The settings in force; `flags` are those of the command, beside the global ones."""
    given: Mapping[str, Value] = {"server": here.server, "workspace": here.workspace, **flags}
    return load(root=root(here), flags=given)


def egress() -> "EgressLog":
    """The log of what leaves this machine; no connection is opened without it."""
    from locus.local.egress.log import EgressLog

    return EgressLog(directories().state)


@asynccontextmanager
async def plane(here: Invocation, *, settings_: Settings | None = None) -> "AsyncIterator[ControlPlane]":
    """The control plane of the settings, open, in the workspace that key and settings say.

    Raises NotSignedIn, Usage or a PlaneError.
    """
    # Here, because commands without a server begin with this module too, and what a connection needs takes its time.
    from locus.client.plane import ControlPlane
    from locus.client.workspaces import choose
    from locus.local import credentials

    wanted = settings_ or settings(here)
    credential = credentials.find(wanted.server)
    async with ControlPlane(wanted.server, credential.secret, credential.workspace_id, egress=egress()) as opened:
        if not _is_stored_one(credential, wanted.workspace):
            found = await choose(opened.transport, wanted.workspace)
            opened.workspace_id = found.id
        yield opened


def credential_for(server: str, secret: str, workspace: Workspace | None) -> "Credential":
    """A key with the workspace it opens, to be stored."""
    from locus.local.credentials import Credential

    return Credential(
        server=server,
        secret=secret,
        workspace_id=workspace.id if workspace else None,
        workspace_name=workspace.name if workspace else None,
        workspace_prefix=workspace.prefix if workspace else None,
    )


def _is_stored_one(credential: "Credential", wanted: str | None) -> bool:
    """Whether the workspace is known without asking."""
    if credential.workspace_id is None:
        return False
    names = (str(credential.workspace_id), credential.workspace_name or "", credential.workspace_prefix or "")
    return wanted is None or wanted.casefold() in (name.casefold() for name in names)


async def task_ids(plane: "ControlPlane", tasks: Sequence[str]) -> list[UUID]:
    """The ids of tasks that were named by key or id, in the same order."""
    return [(await plane.tasks.get(task)).id for task in tasks]


async def sprint_id(plane: "ControlPlane", sprint: str | None) -> UUID | None | UnsetType:
    """The id of a sprint that was named; None for `none`, UNSET when nothing was said."""
    if sprint is None:
        return UNSET
    return None if sprint == "none" else (await plane.sprints.get(sprint)).id
