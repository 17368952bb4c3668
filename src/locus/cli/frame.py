"""The frame around every command: global flags, lazily imported subcommands, help, suggestions.

A command file says::

    @command("list")
    @click.option(...)
    @click.pass_obj
    def list_(here: Invocation, ...) -> None: ...
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from locus.cli.invocation import Invocation
from locus.cli.overview import SUMMARIES, text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LONGEST = 500  # characters of a command's first sentence
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # A flag may stand before or after the command; the later one counts.
    if value not in (None, False) and isinstance(ctx.obj, Invocation) and param.name is not None:
        setattr(ctx.obj, param.name, value)


def _global(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_remember, **attributes)


GLOBAL: tuple[click.Option, ...] = (
    _global("--server", metavar="URL", help="Control plane to talk to (LOCUS_SERVER)."),
    _global("--workspace", metavar="NAME", help="Workspace by name, prefix or id (LOCUS_WORKSPACE)."),
    _global("--json", is_flag=True, help="Answer with one JSON document."),
    _global("--quiet", "-q", is_flag=True, help="Say only what was asked for."),
    _global(
        "-C",
        "directory",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Act as if started in DIR.",
    ),
)


class Command(click.Command):
    """A command that takes the global flags too, and lists them apart in its help."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes["context_settings"] = {**SETTINGS, **(attributes.get("context_settings") or {})}
        super().__init__(*args, **attributes)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        taken = {name for param in self.params for name in param.opts}
        return [*super().get_params(ctx), *(option for option in GLOBAL if taken.isdisjoint(option.opts))]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as e:
            # click compares the dashes too, by which `--agnets` is nearly `--yes`.
            known = [name[2:] for param in self.get_params(ctx) for name in param.opts if name.startswith("--")]
            meant = get_close_matches(e.option_name[2:], known) if e.option_name.startswith("--") else []
            raise click.NoSuchOption(e.option_name, possibilities=[f"--{name}" for name in meant], ctx=e.ctx) from e

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [r for p in self.params if isinstance(p, click.Option) and (r := p.get_help_record(ctx)) is not None]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        shown = [*GLOBAL, *([help_] if (help_ := self.get_help_option(ctx)) else [])]
        shared = [r for option in shown if (r := option.get_help_record(ctx)) is not None]
        with formatter.section("Everywhere"):
            formatter.write_dl(shared)


class Group(Command, click.Group):
    """A command with subcommands."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each with its whole first sentence; click's own would cut it where the line ends."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(LONGEST)) for name, one in found if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            _unknown(name, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


class Root(Group):
    """`locus` itself: its commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # only when a shell asks

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        # From the table: to ask the commands would be to import all of them.
        return [CompletionItem(name, help=said) for name, said in SUMMARIES.items() if name.startswith(incomplete)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        found = import_module(f"locus.cli.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)
        return found

    def get_help(self, ctx: click.Context) -> str:
        return text()


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command called `name`."""
    return click.command(name, cls=Command, **attributes)


def group(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], Group]:
    """Make a function a group of commands called `name`."""
    return click.group(name, cls=Group, **attributes)


def _unknown(name: str, known: Sequence[str], ctx: click.Context) -> NoReturn:
    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean `{ctx.command_path} {close[0]}`?" if close else ""
    raise click.UsageError(f"There is no command `{ctx.command_path} {name}`.{hint}", ctx=ctx)
