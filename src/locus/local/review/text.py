"""A review as Markdown: for a file, and for the forge. What the agent said can be markup, and neither marks nor calls.

Pure.
"""

import re
from collections.abc import Iterable, Sequence

from locus.local.forge.github import BODY_LIMIT
from locus.local.forge.reviews import Remark
from locus.local.review.answer import Finding, Side, Verdict
from locus.local.review.kept import Kept

TITLES = {
    Verdict.APPROVE: "nothing against it",
    Verdict.COMMENT: "remarks",
    Verdict.REQUEST_CHANGES: "changes requested",
}
REMARK_LIMIT = 60_000  # characters
PATHS_NAMED = 50  # of what was left out, on the forge
WORDS_ALONE = "<!-- locus:findings -->"
"""Stands in a review whose findings are in its text, and not beside the lines."""

_VERDICT = re.compile(r"<!-- locus:verdict (?P<verdict>[a-z_]+) -->\Z")
_ORDER = re.compile(r"^([ \t>]*)/(?=[A-Za-z])", re.MULTILINE)


def mark(head: str) -> str:
    """What stands in a posted review, so that it is found again. No text of an agent can hold it."""
    return f"<!-- locus:review {head} -->"


def verdict_in(posted: str) -> Verdict | None:
    """The verdict of a review that our own account has posted; None when it does not say it."""
    found = _VERDICT.search(posted.rstrip())
    return Verdict(found["verdict"]) if found and found["verdict"] in set(Verdict) else None


def document(review: Kept) -> str:
    """The whole review for a file."""
    parts = [f"# Review of {review.what}: {TITLES[review.verdict]}", harmless(review.summary)]
    parts += [f"## {_place(finding)}\n\n{_finding(finding)}" for finding in review.findings]
    return "\n\n".join([*parts, *_footer(review)]) + "\n"


def body(review: Kept, *, own: bool, beside: bool) -> str:
    """What stands above the remarks on the forge; `beside` says whether the findings stand in the change itself.

    What would be too long for the forge is left out finding by finding, so that its end is always there.
    """
    start = [f"## Locus review: {TITLES[review.verdict]}", harmless(review.summary)]
    end = [*_footer(review, most=PATHS_NAMED)]
    if own and review.verdict is not Verdict.COMMENT:
        end.insert(0, "Posted as a comment: nobody's account judges its own work.")
    marks = [WORDS_ALONE] if review.findings and not beside else []
    marks += [mark(review.head or ""), f"<!-- locus:verdict {review.verdict.value} -->"]
    end.append("\n".join(marks))
    found = [] if beside else [f"### `{_place(finding)}`\n\n{_finding(finding)}" for finding in review.findings]
    return "\n\n".join([*start, *_fitting(found, BODY_LIMIT - sum(len(part) + 2 for part in (*start, *end))), *end])


def _fitting(parts: Sequence[str], room: int) -> Iterable[str]:
    """As many of the parts as there is room for, and how many there are besides."""
    note = "{} more findings are not shown here, for want of room."
    room -= len(note) + 8
    for at, part in enumerate(parts):
        room -= len(part) + 2
        if room < 0:
            yield note.format(len(parts) - at)
            return
        yield part


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
    """An agent's words: nobody is called by them, no robot of the forge takes an order from them (`/merge` at the
    beginning of a line), and no comment that programs look for is in them.
    """
    return _ORDER.sub("\\1\u200b/", text.replace("<!--", "<! --").replace("@", "@\u200b"))


def _place(finding: Finding) -> str:
    # A path is a word of whoever made the change.
    return harmless(" ".join(finding.place.replace("`", "'").split()))


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


def _footer(review: Kept, *, most: int | None = None) -> Iterable[str]:
    if review.left_out:
        names = [f"- `{harmless(' '.join(path.split()))[:300]}`" for path in review.left_out[:most]]
        if (more := len(review.left_out) - len(names)) > 0:
            names.append(f"- and {more} more")
        listed = "\n".join(names)
        yield f"**Not all of it was looked at.** It is too long; of these files all or a part was left out:\n\n{listed}"
    model = f" ({review.model})" if review.model else ""
    where = f" at {review.head[:10]}" if review.head else ""
    yield f"Reviewed{where} by {review.provider}{model}, who could change nothing."
