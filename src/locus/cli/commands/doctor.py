"""`locus doctor`: what is amiss on this machine, and how to mend it."""

import os

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local.doctor import Finding, Level, examine
from locus.local.errors import LocalError
from locus.local.settings import load

MARKS: dict[Level, tuple[str, str]] = {
    Level.OK: ("✓", "green"),
    Level.WARNING: ("!", "yellow"),
    Level.FAILED: ("✗", "red"),
}
SUBJECT = 15  # cells; the longest is "pull requests"


class Answer(Struct, frozen=True):
    """What `--json` says."""

    findings: list[Finding]
    failed: int
    warnings: int


@frame.command("doctor")
@click.pass_obj
def command(here: Invocation) -> int:
    """Check git, agents, rights and server, and say how to mend what is amiss.

    Nothing is changed and no model is called. Exit code 1 when something would make `locus run` fail.
    """
    out = Output(here)
    findings = session.run(_look(here, out))
    failed = sum(finding.level is Level.FAILED for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if out.json_wanted:
        out.json(Answer(findings=findings, failed=failed, warnings=warnings))
    else:
        out.note()
        out.note(_verdict(failed, warnings))
    return 1 if failed else 0


async def _look(here: Invocation, out: Output) -> list[Finding]:
    findings: list[Finding] = []

    def note(finding: Finding) -> None:
        if any(finding.says == other.says for other in findings):
            return
        findings.append(finding)
        if not out.json_wanted and not (out.quiet and finding.level is Level.OK):
            _tell(finding, out)

    try:
        settings = session.settings(here)
    except LocalError as error:
        # A line of the repository's file is wrong: say so, and look at the rest as if it had no such file.
        note(Finding("settings", Level.FAILED, error.message, error.remedy))
        settings = load(root=None, flags={"server": here.server, "workspace": here.workspace})
    async for finding in examine(here.cwd, settings, os.environ):
        note(finding)
    return findings


def _tell(finding: Finding, out: Output) -> None:
    mark, style = MARKS[finding.level]
    first, *rest = finding.says.splitlines() or [""]
    out.line(Cell(f"{mark} ", style), Cell(f"{finding.subject:<{SUBJECT}}", "dim"), first, under=SUBJECT + 2)
    for line in [*rest, *(finding.remedy or "").splitlines()]:
        out.line(" " * (SUBJECT + 2), Cell(line, "dim" if line in rest else "bold"), under=SUBJECT + 2)


def _verdict(failed: int, warnings: int) -> str:
    if failed:
        return f"{failed} of these would make `locus run` fail."
    return "Agents can work here." + (" The warnings above are worth a look." if warnings else "")
