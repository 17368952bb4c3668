"""The table of contents in the folder: files are called by ids, so this is where people find them by their titles."""

import re
from collections.abc import Mapping
from itertools import groupby
from uuid import UUID

from locus.local.docs.folder import CONTENTS, Documents, name_of
from locus.local.docs.form import Content

HEAD = "# Docs of the workspace\n"
SAYS = """
`locus docs sync` writes this list and the files it names. Edit a file as you like, its title, kind and group too; what
you write leaves this machine when you say so, with `locus docs push` or `locus docs sync`.
"""
_MEANS = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&$:@-])")  # what Markdown reads as more than itself


def contents(docs: Mapping[UUID, Content]) -> str:
    """The list, by group and title, with a link to each file."""
    lines = [HEAD + SAYS.rstrip("\n")]
    rows = sorted(docs.items(), key=lambda row: (row[1].group.casefold(), row[1].title.casefold(), row[0]))
    for group, members in groupby(rows, key=lambda row: row[1].group):
        if group:
            lines += ["", f"## {_plain(group)}"]
        lines.append("")
        lines += [f"- [{_plain(doc.title)}]({name_of(doc_id)})" for doc_id, doc in members]
    return "\n".join(lines) + "\n"


def write(documents: Documents, docs: Mapping[UUID, Content]) -> None:
    """Bring the list up to date. A file of that name that is not ours stays as it is. Raises LocalError."""
    before = documents.read(CONTENTS)
    text = contents(docs)
    if before != text and (before is None or before.startswith(HEAD)):
        documents.write(CONTENTS, text)


def _plain(title: str) -> str:
    return _MEANS.sub(r"\\\1", title)
