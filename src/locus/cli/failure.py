"""Tells a person, or a program, what went wrong. Imported only when something did."""

import asyncio
import errno
import os
import sys
import time
import traceback
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import click
import msgspec
from click.exceptions import NoArgsIsHelpError

from locus.cli.invocation import Invocation
from locus.cli.output import INDENT, harmless_json
from locus.cli.text import safe
from locus.client.errors import PlaneError, Refused
from locus.local.directories import directories
from locus.local.errors import LocalError
from locus.version import VERSION
from locus.wire.problems import Problem

RED, PLAIN = "\x1b[31m", "\x1b[0m"
FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your quota of disk space is used up"}
CODES = {1: "failed", 2: "usage", 3: "not_signed_in", 4: "unreachable"}


def tell(error: BaseException, here: Invocation) -> int:
    """Say on stderr what happened and what to do, and return the exit code."""
    if isinstance(error, click.Abort | asyncio.CancelledError):
        return 130
    if os.environ.get("LOCUS_DEBUG") == "1":
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, click.ClickException):
        ctx = error.ctx if isinstance(error, click.UsageError) else None
        # Where the message is the help itself, nobody needs to be sent to it.
        remedy = f"See `{ctx.command_path} --help`." if ctx and not isinstance(error, NoArgsIsHelpError) else None
        return _say(error.format_message(), remedy, 2 if ctx else error.exit_code, here)
    if isinstance(error, LocalError | PlaneError):
        problem = error.problem if isinstance(error, Refused) else None
        return _say(error.message, error.remedy, error.exit_code, here, problem)
    if isinstance(error, OSError) and error.errno in FULL:
        place = f"{error.filename} cannot be written" if error.filename else "What Locus writes has no place"
        return _say(f"{place}: {FULL[error.errno]}.", "Make room, then run it again.", 1, here)
    where = _write_trace(error)
    told = f"Locus met an error it did not expect: {type(error).__name__}."
    return _say(
        told, f"The trace is in {where}; please report it." if where else "Set LOCUS_DEBUG=1 to see it.", 1, here
    )


def _say(message: str, remedy: str | None, code: int, here: Invocation, problem: Problem | None = None) -> int:
    if here.json:
        told = problem or Problem(
            title=message.splitlines()[0] if message else "Failed",
            status=0,
            code=CODES.get(code, "failed"),
            detail=f"{message}\n{remedy}" if remedy else message,
        )
        text = harmless_json(msgspec.json.encode(told).decode())
    else:
        first, *rest = [safe(line) for line in message.splitlines()] or [""]
        lines = _folded(first, rest) if sys.stderr.isatty() else [first, *rest]
        if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
            lines[0] = f"{RED}✗ {lines[0]}{PLAIN}"
        text = "\n".join([*lines, *(safe(line) for line in (remedy or "").splitlines())])
    print(text, file=sys.stderr, flush=True)
    return code


def _folded(first: str, rest: list[str]) -> list[str]:
    """Lines that fit into the terminal, all but the first indented: a message may quote somebody else's words."""
    width = max(20, get_terminal_size().columns - INDENT)
    wrapped = [piece for line in (first, *rest) for piece in (wrap(line, width, break_on_hyphens=False) or [""])]
    return [wrapped[0], *(" " * INDENT + line for line in wrapped[1:])]


def _write_trace(error: BaseException) -> Path | None:
    """Keep the trace where the person can find it; None when even that fails."""
    state = directories().state
    path = state / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - the mode must hold from the start
            file.write(f"locus {VERSION}, python {sys.version}\n")
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return path
