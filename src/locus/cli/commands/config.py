"""`locus config`: read and change settings, and see where each comes from."""

import os
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from locus.cli import session
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.params import setting_words
from locus.local import project
from locus.local.errors import Usage
from locus.local.settings import BY_NAME, TABLE, Origin, Setting, Value, set_project, set_user

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROJECT = click.option("--project", "in_project", is_flag=True, help="In the repository's .locus/config.toml.")


class Entry(Struct, frozen=True):
    """One setting, as `--json` says it."""

    name: str
    value: Value
    origin: Origin
    doc: str
    variable: str | None
    allowed_in_project: bool


class _Name(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Setting:
        if isinstance(value, Setting):
            return value
        name = str(value).replace("-", "_")
        if name not in BY_NAME:
            close = get_close_matches(name, BY_NAME, n=1)
            hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(BY_NAME)}."
            self.fail(f"There is no setting `{value}`. {hint}", param, ctx)
        return BY_NAME[name]

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # only when a shell asks

        begin = incomplete.replace("-", "_")
        return [CompletionItem(name, help=said.doc) for name, said in BY_NAME.items() if name.startswith(begin)]


def _words(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The words that the setting may have, which was named before."""
    setting = ctx.params.get("setting")
    return setting_words(setting.name)(ctx, param, incomplete) if isinstance(setting, Setting) else []


NAME = click.argument("setting", type=_Name(), metavar="NAME")


@group("config", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read and change settings. Alone it lists them.

    The first of these that has a value wins: flag, LOCUS_… variable, .locus/config.toml of the repository, your own
    settings.toml, default.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List every setting with its value and where that comes from."""
    out = Output(here)
    entries = _entries(here)
    if here.json:
        out.json(entries)
        return
    out.table(
        [Column("NAME"), Column("VALUE"), Column("FROM"), Column("WHAT IT IS", grows=True)],
        [[Cell(e.name, "bold"), _shown(e.value) or "–", _origin(e), Cell(e.doc, "dim")] for e in entries],
    )


@_command("get")
@NAME
@click.pass_obj
def get(here: Invocation, setting: Setting) -> None:
    """Print the value in force; nothing when there is none."""
    out = Output(here)
    entry = next(e for e in _entries(here) if e.name == setting.name)
    if here.json:
        out.json(entry)
    elif entry.value is not None:
        out.line(_shown(entry.value))


@_command("set")
@NAME
@click.argument("value", shell_complete=_words)
@PROJECT
@click.pass_obj
def set_(here: Invocation, setting: Setting, value: str, in_project: bool) -> None:
    """Set a value for yourself.

    With --project it counts for everybody who works in the repository.
    """
    try:
        wanted = setting.kind.from_text(value)
    except ValueError as e:
        raise Usage(f"`{setting.name}` {e}.") from e
    _write(here, setting, wanted, in_project=in_project)


@_command("unset")
@NAME
@PROJECT
@click.pass_obj
def unset(here: Invocation, setting: Setting, in_project: bool) -> None:
    """Remove a value. The next origin, or the default, counts then."""
    _write(here, setting, None, in_project=in_project)


def _write(here: Invocation, setting: Setting, value: Value, *, in_project: bool) -> None:
    path = set_project(project.find(here.cwd), setting, value) if in_project else set_user(setting, value)
    out = Output(here)
    entry = next(e for e in _entries(here) if e.name == setting.name)
    if here.json:
        out.json(entry)
        return
    said = f"{setting.name} is no longer set" if value is None else f"{setting.name} = {_shown(value)}"
    out.note(f"{said} in {_home(path)}.")
    if value is not None and entry.origin is not (Origin.PROJECT if in_project else Origin.USER):
        out.note(f"In force is {_shown(entry.value)}, from {_origin(entry)}.")


def _entries(here: Invocation) -> list[Entry]:
    settings = session.settings(here)
    return [
        Entry(
            name=setting.name,
            value=getattr(settings, setting.name),
            origin=settings.origins[setting.name],
            doc=setting.doc,
            variable=setting.variable,
            allowed_in_project=setting.project is not None,
        )
        for setting in TABLE
    ]


def _origin(entry: Entry) -> str:
    return f"{entry.variable}" if entry.origin is Origin.ENVIRONMENT else entry.origin.value


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return shlex.join(value) if isinstance(value, tuple) else str(value)


def _home(path: Path) -> str:
    home = os.environ.get("HOME", "")
    return f"~{str(path)[len(home) :]}" if home and str(path).startswith(f"{home}/") else str(path)


for part in (list_, get, set_, unset):
    command.add_command(part)
