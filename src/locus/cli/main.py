"""Runs a command line and turns whatever comes of it into an exit code."""

import os
import sys
from collections.abc import Sequence

import click

from locus.cli.frame import SETTINGS, Root
from locus.cli.invocation import Invocation
from locus.version import VERSION

DONE = 0
INTERRUPTED = 130
JSON_STREAM = "--json-stream"  # of `locus exec`, which promises a first and a last line whatever happens
PIPE_CLOSED = 141  # as every tool that the end of its pipe stops


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"locus {VERSION}")
        ctx.exit()


root = Root(
    "locus",
    context_settings=SETTINGS,
    no_args_is_help=True,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version.",
        )
    ],
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns an exit code, as documented in docs/reference.md."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no UTF-8 is no reason to fail
    here = Invocation(json="--json" in arguments)
    streaming = JSON_STREAM in arguments and "exec" in arguments
    try:
        if JSON_STREAM in arguments:
            from locus.cli.beside.interrupts import rising

            rising()
        if "_LOCUS_COMPLETE" in os.environ:
            root.main(list(arguments), prog_name="locus")
        with root.make_context("locus", list(arguments), obj=here) as ctx:
            result = root.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as e:
        return e.exit_code
    except KeyboardInterrupt as e:
        code = getattr(e, "exit_code", INTERRUPTED)
        if streaming and not here.streaming:
            from locus.cli.beside.ndjson import never_begun

            never_begun(code, here.cwd)
        return code
    except BrokenPipeError:
        # The reader has gone. Python would complain about the flush at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as e:
        from locus.cli.failure import tell

        code = tell(e, here)
        if streaming and not here.streaming:
            from locus.cli.beside.ndjson import never_begun

            never_begun(code, here.cwd, e)
        _let_go_of_output()
        return code
    return result if isinstance(result, int) else DONE


def _let_go_of_output() -> None:
    """Drop what cannot be written any more: Python would try it again at its own end, and make the exit code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
