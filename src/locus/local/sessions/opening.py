"""The first message of a session: what the project says to every agent, and then what the person asks."""

from collections.abc import Sequence
from pathlib import Path

from locus.local.context.documents import instructions, learnings
from locus.local.context.prompt import NEARBY, Mark

READ_ONLY = "You may read everything here and change nothing: every attempt to write fails. Answer in words."
GIT = (
    "You work in the person's own checkout. Files are yours to edit as they ask; what is in `.git` is not, so do not"
    " commit, stage or switch branches: that is theirs to do. When they ask for a report or for research, write it as a"
    " Markdown file into `.locus/artifacts/`."
)


def opening(asked: str, tree: Path, *, read_only: bool, insights: Sequence[str] = (), codebase: str = "") -> str:
    """The message that begins a conversation in `tree`; later ones are what the person says and nothing else.

    `codebase` is the map of what is near.
    """
    documents = instructions(tree)
    mark = Mark.beside([asked, *(document.text for document in documents), *insights, codebase])
    parts = [READ_ONLY if read_only else GIT]
    if documents:
        parts += ["# What the project says", *(mark.around(one.name, one.text) for one in documents)]
    if learned := learnings(tree):
        parts += ["# What earlier work taught us", mark.around("learnings", bullets(learned))]
    if insights:
        parts += ["# What was said in discussions about this", mark.around("insights", bullets(insights))]
    if codebase:
        parts += ["# The repository", NEARBY, mark.around("map", codebase)]
    return "\n\n".join([*parts, "# What the person asks", asked])


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
