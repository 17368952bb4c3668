"""A review for eyes: its verdict, then each finding with its place; and what came to nothing."""

from locus.cli.beside.reviewing import Failure
from locus.cli.output import Cell, Output
from locus.local.review.answer import Finding, Severity, Verdict
from locus.local.review.kept import Kept
from locus.local.review.text import TITLES

VERDICTS = {Verdict.APPROVE: ("✓", "green"), Verdict.COMMENT: ("●", "blue"), Verdict.REQUEST_CHANGES: ("✗", "red")}
SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}


def show(out: Output, review: Kept) -> None:
    """One review, whole."""
    glyph, style = VERDICTS[review.verdict]
    at = f" at {review.head[:7]}" if review.head else ""
    out.line(Cell(f"{glyph} ", style), Cell(review.what, "bold"), f"{at}: {TITLES[review.verdict]}")
    out.text(review.summary)
    for finding in review.findings:
        _finding(out, finding)
    if review.left_out:
        many = "1 file was" if len(review.left_out) == 1 else f"{len(review.left_out)} files were"
        out.line(Cell("! ", "yellow"), f"It is too long: {many} not looked at, or not to the end:")
        for path in review.left_out:
            out.line("    ", path)
        out.note("Give it more room: locus review … --tokens N")


def told(out: Output, review: Kept) -> None:
    """Where it is now."""
    if review.url is not None:
        how = f", as {review.event.lower().replace('_', ' ')}" if review.event else ""
        out.line(Cell("↗ ", "dim"), f"{review.url}{how}")
    if review.artifact is not None:
        out.note(f"It is written down: {review.artifact}")


def failed(out: Output, failure: Failure) -> None:
    """What came to nothing: why in a line, and below it what to do."""
    first, *rest = failure.why.splitlines() or [""]
    out.line(Cell("✗ ", "red"), f"{failure.what}: {first}")
    for line in rest:
        out.note(Cell("  ", "dim"), line)


def _finding(out: Output, finding: Finding) -> None:
    out.line(
        Cell(f"{finding.severity.value:<9}", SEVERITIES[finding.severity]),
        Cell(finding.place, "bold"),
        f"  {finding.title}",
        Cell(f"  confidence {finding.confidence.value}", "dim"),
    )
    out.text(finding.detail)
    if finding.suggestion is not None:
        out.line(Cell("    instead:", "dim"))
        out.text(finding.suggestion)
