"""`locus down`: the end of what `locus up` started."""

import click
from msgspec import Struct

from locus.cli import frame
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local import files, hosting
from locus.local.directories import directories


class Answer(Struct, frozen=True):
    """What `--json` says."""

    stopped: bool
    """Whether anything was running."""
    url: str | None
    by_force: bool = False


@frame.command("down")
@click.pass_obj
def command(here: Invocation) -> None:
    """Stop the control plane that `locus up` started, and its database. What they hold is kept."""
    out = Output(here)
    state = directories().state
    with files.locked(state / hosting.FILE):
        record = hosting.read(state)
        running = record is not None and hosting.is_alive(record)
        orderly = hosting.stop(record) if record and running else True
        if record is not None:
            hosting.forget(state, record)
    if out.json_wanted:
        out.json(Answer(stopped=running, url=record.url if record and running else None, by_force=not orderly))
        return
    if record is None or not running:
        out.line("Nothing to stop: no server that `locus up` started runs on this machine.")
        return
    out.line(Cell("✓ ", "green"), f"Stopped the server at {record.url}.", "" if orderly else " It had to be killed.")
    out.note(f"  Its data stays in {record.data}")
