"""`locus checks`: the project's checks, and which of them the workspace requires of every task."""

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.client.plane import ControlPlane
from locus.local import project
from locus.local.errors import Usage
from locus.local.project import Check
from locus.wire.workspaces import Workspace, WorkspaceEdit

NAMES = click.argument("names", metavar="NAME...", nargs=-1, required=True)


class Known(Struct, frozen=True):
    """One check. `run` is null for one that the workspace requires and this repository does not define."""

    name: str
    required: bool
    run: str | None
    always: bool


@frame.group("checks", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See the checks of this repository, and say which of them no task may do without.

    A required check runs for every task, and the server takes no agent's work into review without its green evidence.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List the checks of .locus/config.toml, and those that the workspace requires."""
    out = Output(here)

    async def gather() -> Workspace:
        async with session.plane(here) as plane:
            return await _workspace(plane)

    found = _known(here, session.run(gather()).required_checks)
    if here.json:
        out.json(found)
        return
    if not found:
        out.note("No checks are defined here, and none is required. Add some to .locus/config.toml.")
        return
    columns = [Column("CHECK"), Column("RUNS FOR")]
    out.table([*columns, Column("COMMAND", grows=True)], [_row(check) for check in found])
    missing = [check.name for check in found if check.run is None]
    if missing:
        out.note(
            Cell("! ", "yellow"),
            f"{', '.join(missing)} is required and not defined here, so no agent can finish a task of this repository.",
        )


@command.command("require")
@NAMES
@click.option("--force", is_flag=True, help="Although this repository does not define them.")
@click.pass_obj
def require(here: Invocation, names: tuple[str, ...], force: bool) -> None:
    """Require checks of every task of the workspace, beside those that are required already."""
    if not force:
        defined = [check.name for check in _defined(here)]
        if unknown := [name for name in names if name not in defined]:
            raise Usage(
                f"This repository defines no check {unknown[0]!r}, so no agent could finish a task here.",
                remedy=f"It defines: {', '.join(defined) or 'none'}. Or say --force, if others do.",
            )
    _change(here, add=names)


@command.command("drop")
@NAMES
@click.pass_obj
def drop(here: Invocation, names: tuple[str, ...]) -> None:
    """Require checks no longer. Checklists that name them still do."""
    _change(here, remove=names)


def _change(here: Invocation, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    out = Output(here)

    async def change() -> Workspace:
        async with session.plane(here) as plane:
            now = await _workspace(plane)
            if absent := [name for name in remove if name not in now.required_checks]:
                raise Usage(
                    f"The workspace does not require {absent[0]!r}.",
                    remedy=f"It requires: {', '.join(now.required_checks) or 'none'}.",
                )
            wanted = [name for name in dict.fromkeys([*now.required_checks, *add]) if name not in remove]
            if wanted == now.required_checks:
                return now
            edit = WorkspaceEdit(required_checks=wanted)
            return await plane.workspaces.edit(now.id, edit, version=now.version)

    changed = session.run(change())
    if here.json:
        out.json(changed)
    else:
        names = ", ".join(changed.required_checks)
        out.note(f"{changed.name} requires {names} of every task." if names else f"{changed.name} requires no check.")


async def _workspace(plane: ControlPlane) -> Workspace:
    assert plane.workspace_id is not None, "the session has chosen one"
    return await plane.workspaces.get(plane.workspace_id)


def _defined(here: Invocation) -> tuple[Check, ...]:
    root = session.root(here)
    return project.load(root).checks if root else ()


def _known(here: Invocation, required: list[str]) -> list[Known]:
    defined = _defined(here)
    names = [check.name for check in defined]
    return [
        *(Known(check.name, check.name in required, check.run, check.always) for check in defined),
        *(Known(name, required=True, run=None, always=False) for name in required if name not in names),
    ]


def _row(check: Known) -> list[str | Cell]:
    runs = "every task, required" if check.required else "every task" if check.always else "tasks that name it"
    return [check.name, runs, check.run if check.run is not None else Cell("not defined here", "yellow")]
