"""`python -m locus.server`: the server program. Exit codes: 0 done, 1 something is in the way, 2 wrong usage."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from locus.server import program
from locus.server.db.errors import DatabaseUnavailable
from locus.server.errors import Unavailable
from locus.server.program import UsageError
from locus.server.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    given = program.parser().parse_args(arguments)
    try:
        settings = program.settings_of(given, os.environ)
        if given.command == "serve":
            wish = program.serve_of(given)
            # Only serving needs the HTTP stack, and the faster event loop.
            from locus.server.serving import serve

            run(serve(settings, wish))
            return 0
        for line in run(operate(given, settings)):
            sys.stdout.write(line + "\n")
    except (UsageError, DatabaseUnavailable, Unavailable) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    except asyncio.CancelledError:
        pass  # asked to end before it was ready
    return 0


def operate(given: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, list[str]]:
    """What an operator's command does; lines to print."""
    if given.command == "key":
        return program.run_key(settings, given)
    if given.command == "sign-in":
        return program.run_sign_in(settings, given.organization)
    if given.command == "organization":
        return program.run_organization(settings, given.name)
    return program.run_migrate(settings)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        from uvloop import new_event_loop
    except ImportError:  # there is none for Windows
        return None
    return new_event_loop


if __name__ == "__main__":
    sys.exit(main())
