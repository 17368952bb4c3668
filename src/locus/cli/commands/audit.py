"""`locus audit`: the trail of everything that happened in a workspace, exported, and verified on this machine."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import click

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output, harmless_json
from locus.local import audit
from locus.local.audit import Verdict
from locus.local.directories import directories
from locus.local.errors import LocalError


@frame.group("audit")
def command() -> None:
    """Verify or export everything that happened in the workspace.

    The server keeps each event with a SHA-256 over itself and the hash before it. Who changes or removes one later
    breaks the chain; who computes it anew no longer has the hash that was verified here.
    """


@command.command("verify")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), metavar="FILE", help="Verify an export in place of the server."
)
@click.pass_obj
def verify(here: Invocation, file: Path | None) -> int:
    """Follow the chain from its first event to its last, here; exit code 1 names the first event that breaks it."""
    verdict = session.run(audit.verify(_of_file(file), part=True) if file else _of_server(here))
    out = Output(here)
    if here.json:
        out.json(verdict)
    elif verdict.broken is not None:
        out.line(Cell("✗ ", "red"), f"Event {verdict.broken.seq} {verdict.broken.says}.")
    elif not verdict.last:
        out.line("There are no events.")
    else:
        out.line(Cell("✓ ", "green"), f"Events {verdict.first} to {verdict.last} are a whole chain.")
        if verdict.unchained:
            out.line(f"  The first {verdict.unchained} are older than the chain: nothing proves them.")
        if verdict.last_hash is not None:
            out.note(Cell(f"  The last one has the hash {verdict.last_hash}.", "dim"))
    return 0 if verdict.broken is None else 1


@command.command("export")
@click.option("--after", type=click.IntRange(0), default=0, metavar="N", help="Only events with a higher number.")
@click.pass_obj
def export(here: Invocation, after: int) -> None:
    """Print every event with its hash, a line of JSON each."""

    async def print_all() -> None:
        async with session.plane(here) as plane:
            async for line in plane.events.export(after=after):
                print(harmless_json(line.decode()))
        sys.stdout.flush()

    session.run(print_all())


async def _of_server(here: Invocation) -> Verdict:
    state = directories().state
    async with session.plane(here) as plane:
        assert plane.workspace_id is not None
        verdict = await audit.verify(plane.events.export(), audit.recall(state, plane.workspace_id))
        if verdict.broken is None:
            audit.remember(state, plane.workspace_id, verdict)
        return verdict


async def _of_file(file: Path) -> AsyncIterator[bytes]:
    try:
        with file.open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\r\n")
    except OSError as e:
        raise LocalError(f"{file} cannot be read: {e.strerror or e}.", remedy="Check its name and rights.") from e
