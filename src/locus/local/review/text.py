"""A review as Markdown: for a file, and for the forge. What the agent said can be markup, and neither marks nor calls.

Pure.
"""

from collections.abc import Iterable

from locus.local.forge.reviews import Remark
from locus.local.review.answer import Finding, Side, Verdict
from locus.local.review.kept import Kept

TITLES = {
    Verdict.APPROVE: "nothing against it",
    Verdict.COMMENT: "remarks",
    Verdict.REQUEST_CHANGES: "changes requested",
}
REMARK_LIMIT = 60_000  # characters


def mark(head: str) -> str:
    """What stands in a posted review, so that it is found again. No text of an agent can hold it."""
    return f"<!-- locus:review {head} -->"


def document(review: Kept) -> str:
    """The whole review for a file."""
    parts = [f"# Review of {review.what}: {TITLES[review.verdict]}", harmless(review.summary)]
    parts += [f"## {finding.place}\n\n{_finding(finding)}" for finding in review.findings]
    return "\n\n".join([*parts, *_footer(review)]) + "\n"


def body(review: Kept, *, own: bool, beside: bool) -> str:
    """What stands above the remarks on the forge; `beside` says whether the findings stand in the change itself."""
    parts = [f"## Locus review: {TITLES[review.verdict]}", harmless(review.summary)]
    if not beside:
        parts += [f"### `{finding.place}`\n\n{_finding(finding)}" for finding in review.findings]
    if own and review.verdict is not Verdict.COMMENT:
        parts.append("Posted as a comment: nobody's account judges its own pull request.")
    return "\n\n".join([*parts, *_footer(review), mark(review.head or "")])


def remarks(review: Kept) -> list[Remark]:
    """The findings, each beside its lines."""
    found = []
    for finding in review.findings:
        side = "RIGHT" if finding.side is Side.NEW else "LEFT"
        several = finding.start_line is not None and finding.start_line < finding.line
        found.append(
            Remark(
                path=finding.file,
                body=_finding(finding, applicable=True)[:REMARK_LIMIT],
                line=finding.line,
                side=side,
                start_line=finding.start_line if several else None,
                start_side=side if several else None,
            )
        )
    return found


def harmless(text: str) -> str:
    """An agent's words: nobody is called by them, and no comment that programs look for is in them."""
    return text.replace("<!--", "<! --").replace("@", "@\u200b")


def _finding(finding: Finding, *, applicable: bool = False) -> str:
    sure = f"{finding.severity.value} · confidence {finding.confidence.value}"
    parts = [f"**{harmless(finding.title)}** ({sure})", harmless(finding.detail)]
    if finding.suggestion is not None:
        fence = "```"
        while fence in finding.suggestion:
            fence += "`"
        kind = "suggestion" if applicable else ""
        parts.append(f"{fence}{kind}\n{finding.suggestion.removesuffix(chr(10))}\n{fence}")
    return "\n\n".join(parts)


def _footer(review: Kept) -> Iterable[str]:
    if review.left_out:
        listed = "\n".join(f"- `{harmless(path)}`" for path in review.left_out)
        yield f"**Not all of it was looked at.** It is too long; of these files all or a part was left out:\n\n{listed}"
    model = f" ({review.model})" if review.model else ""
    where = f" at {review.head[:10]}" if review.head else ""
    yield f"Reviewed{where} by {review.provider}{model}, who could change nothing."
