"""The `.git` that an agent sees: enough for log, diff, status and commit, and of no consequence to us."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct

from locus.local.git import disk
from locus.local.git.commit import Identity
from locus.local.git.runner import Pairs


class View(Struct, frozen=True):
    """What the agent finds when it asks git where it is."""

    branch: str
    commit: str
    base_branch: str
    base: str
    identity: Identity
    object_format: str
    form: Pairs = ()
    """How files look on disk, so that the agent's git does not see changes where we see none."""


async def build(tree: Path, *, objects: Path, index: Path, excludes: bytes, view: View) -> Path:
    """Replace the tree's `.git` by a new one that borrows `objects` and starts with a copy of `index`.

    No git runs here: nothing that is in the tree can have a say. Returns the new directory.
    """
    place = tree / ".git"
    await disk.discard(place)
    place.mkdir(mode=0o700)
    for directory in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (place / directory).mkdir(parents=True)
    _write(place / "HEAD", f"ref: refs/heads/{view.branch}\n")
    _write(place / "config", config(view.identity, view.object_format, view.form))
    _write(place / "objects/info/alternates", f"{objects}\n")
    (place / "info/exclude").write_bytes(excludes)
    _write(place / "packed-refs", _refs(view))
    shutil.copyfile(index, place / "index")
    return place


def _refs(view: View) -> str:
    refs = {
        f"refs/heads/{view.base_branch}": view.base,
        f"refs/remotes/origin/{view.base_branch}": view.base,
        f"refs/heads/{view.branch}": view.commit,
    }
    return "".join(f"{sha} {ref}\n" for ref, sha in sorted(refs.items()))


def config(identity: Identity, object_format: str, form: Pairs) -> str:
    """The settings of a `.git` for agents: who commits, and how files look on disk."""
    sha256 = object_format != "sha1"
    lines = [
        "[core]",
        f"\trepositoryformatversion = {1 if sha256 else 0}",
        "\tbare = false",
        "\tlogallrefupdates = true",
        "[user]",
        f"\tname = {_quoted(identity.name)}",
        f"\temail = {_quoted(identity.email)}",
        "[gc]",
        "\tauto = 0",
    ]
    lines += [f"[core]\n\t{name.removeprefix('core.')} = {_quoted(value)}" for name, value in form]
    if sha256:
        lines += ["[extensions]", f"\tobjectformat = {object_format}"]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    inner = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\0", "")
    return f'"{inner}"'


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogateescape"))
