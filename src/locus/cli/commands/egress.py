"""`locus egress`: what left this machine for a control plane, and the proof that the record of it is whole."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.params import TASK
from locus.local.directories import directories
from locus.local.egress import lines
from locus.local.egress.prune import prune
from locus.local.egress.read import Request, one, requests
from locus.local.egress.verify import Finding, verify

SHOWN = 50  # requests, without --limit
PIECE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class When(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    """A date as 2026-03-31, a time as 2026-03-31T14:00, or an age as 30m, 2h, 7d."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if match := re.fullmatch(r"([0-9]{1,5})([mhdw])", text):
            return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
        try:
            return datetime.fromisoformat(text).astimezone()
        except ValueError:
            self.fail(f"{text!r} is not a time such as 2026-03-31, 2026-03-31T14:00, 30m, 2h or 7d.", param, ctx)


class Answer(Struct, frozen=True):
    """What `locus egress verify --json` says."""

    whole: bool
    requests: int
    lines: int
    pruned: int  # lines that were removed from the beginning with `locus egress prune`
    last_hash: str
    broken: list[Finding]
    crashes: list[Finding]


@frame.group("egress")
def command() -> None:
    """See what left this machine for a control plane.

    Every request is written down before it is sent: method, path, query, body, and later the status of the answer. The
    API key is never written down. When the log cannot be written, nothing is sent.
    """


@command.command("log")
@click.option("--since", type=When(), metavar="WHEN", help="Leave out what is older: a date, a time, 30m, 2h, 7d.")
@click.option("--task", type=TASK, metavar="KEY", help="Only what names this task. A key is looked up at the server.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=SHOWN,
    show_default=True,
    metavar="N",
    help="The last so many.",
)
@click.pass_obj
def log_(here: Invocation, since: datetime | None, task: str | None, limit: int) -> None:
    """List the requests, oldest first."""
    out = Output(here)
    found = requests(_place(), since=since, about=_names(here, task), limit=limit)
    if here.json:
        out.json(found)
        return
    if not found:
        out.line("Nothing that fits has left this machine.")
        return
    columns = [Column("N", right=True), Column("When"), Column("Status", right=True), Column("Bytes", right=True)]
    out.table([*columns, Column("Request", grows=True)], [_row(request) for request in found])


@command.command("show")
@click.argument("number", type=click.IntRange(1), metavar="N")
@click.pass_obj
def show(here: Invocation, number: int) -> None:
    """Show one request as it was sent."""
    out = Output(here)
    found = one(_place(), number)
    if here.json:
        out.json(found)
        return
    out.line(Cell(found.method, "bold"), f" {found.server}{_address(found)}")
    out.line(Cell(f"{found.at.astimezone():%Y-%m-%d %H:%M:%S}  ", "dim"), f"answer {_status(found)}")
    for name, value in found.headers.items():
        out.line(Cell(f"{name}: ", "dim"), value)
    if found.has_body:
        out.line("")
        out.text(msgspec.json.format(bytes(found.body)).decode())


@command.command("verify")
@click.pass_obj
def verify_(here: Invocation) -> int:
    """Prove that no line of the log was changed, moved or removed; exit code 1 names those that were."""
    out = Output(here)
    verdict = verify(_place())
    if here.json:
        whole = not verdict.broken
        out.json(
            Answer(
                whole=whole,
                requests=verdict.requests,
                lines=verdict.lines,
                pruned=verdict.pruned,
                last_hash=verdict.last_hash,
                broken=verdict.broken,
                crashes=verdict.crashes,
            )
        )
        return 0 if whole else 1
    for finding in verdict.crashes:
        out.line(Cell("! ", "yellow"), f"Line {finding.line} {finding.says}")
    for finding in verdict.broken:
        out.line(Cell("✗ ", "red"), f"Line {finding.line} {finding.says}")
    if verdict.broken:
        return 1
    if not verdict.lines:
        out.line("Nothing has left this machine yet.")
        return 0
    out.line(
        Cell("✓ ", "green"),
        f"{verdict.requests} requests in {verdict.lines} lines, and every line follows the one before.",
    )
    if verdict.pruned:
        out.note(f"The {verdict.pruned} lines before them were removed with `locus egress prune`.")
    out.note(Cell(f"The last one has the hash {verdict.last_hash}.", "dim"))
    return 0


@command.command("prune")
@click.option(
    "--older-than",
    "before",
    type=When(),
    required=True,
    metavar="WHEN",
    help="Remove the months that had ended by then: an age as 90d or 12w, or a date.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.pass_obj
def prune_(here: Invocation, before: datetime, dry_run: bool) -> None:
    """Forget old months of the log. What is left can still be verified.

    A line of the log itself says what was removed. A log that is not whole is left alone.
    """
    out = Output(here)
    gone = prune(_place(), before=before, dry_run=dry_run)
    if here.json:
        out.json({"files": list(gone.files), "bytes": gone.size, "through": gone.through, "dry_run": dry_run})
        return
    if not gone.files:
        out.line("No month of the log is that old.")
        return
    what = "would be removed" if dry_run else "removed"
    out.line(f"{', '.join(gone.files)} {what}: {gone.size:,} bytes, up to request {gone.through}.")


@command.command("path")
@click.pass_obj
def path(here: Invocation) -> None:
    """Print where the log is: one file of JSON lines a month."""
    out = Output(here)
    place = _place()
    if here.json:
        out.json({"path": str(place), "files": [str(file) for file in lines.months(place)]})
        return
    out.line(str(place))


def _place() -> Path:
    return lines.folder(directories().state)


def _names(here: Invocation, task: str | None) -> list[str]:
    """The words that name a task in a request: its id, and its key when it was given."""
    if task is None:
        return []
    try:
        return [str(UUID(task))]
    except ValueError:
        pass

    async def look_up() -> UUID:
        async with session.plane(here) as plane:
            return (await plane.tasks.get(task)).id

    return [task, str(session.run(look_up()))]


def _row(request: Request) -> list[str | Cell]:
    when = f"{request.at.astimezone():%Y-%m-%d %H:%M:%S}"
    size = str(request.size) if request.size else ""
    return [str(request.number), when, _status(request), size, f"{request.method} {_short(_address(request))}"]


def _status(request: Request) -> str:
    return str(request.status) if request.status is not None else "none"


def _address(request: Request) -> str:
    return f"{request.path}?{request.query}" if request.query else request.path


def _short(path: str) -> str:
    """A path whose ids are short enough for a table; `show` has them whole."""
    return PIECE.sub(lambda found: f"{found[0][:8]}…", path.removeprefix("/api/v1"))
