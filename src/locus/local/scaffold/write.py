"""Writes `.locus/` into a repository: only what is missing, and nothing outside of it."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import tomlkit
from msgspec import Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.local.scaffold.detect import Found, tests

FOLDER = ".locus"
FILES = ("config.toml", "LOCUS.md", "LEARNINGS.md", ".gitignore")
TEMPLATES = {".gitignore": "gitignore"}  # a file of that name would itself hide files of ours


class Written(Struct, frozen=True):
    """What was done. Paths are relative to `root`."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    checks: tuple[Found, ...]  # that a new configuration runs


def write(root: Path) -> Written:
    """Make the files that are missing; what exists stays as it is.

    Raises LocalError when `.locus` is something else than a folder of this repository.
    """
    folder = root / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise LocalError(f"{folder} is not a folder of this repository.", remedy="Move it away and run it again.")
    found = tests(root)
    written: list[str] = []
    kept: list[str] = []
    for name in FILES:
        path = folder / name
        # A link that leads nowhere exists too, and writing would follow it.
        if path.exists() or path.is_symlink():
            kept.append(f"{FOLDER}/{name}")
            continue
        folder.mkdir(exist_ok=True)
        files.write(path, _content(name, found), mode=0o644)
        written.append(f"{FOLDER}/{name}")
    configured = f"{FOLDER}/config.toml" in written
    return Written(root, tuple(written), tuple(kept), tuple(found) if configured else ())


def _content(name: str, found: Sequence[Found]) -> str:
    text = (resources.files("locus.local.scaffold") / "templates" / TEMPLATES.get(name, name)).read_text("utf-8")
    if name != "config.toml":
        return text
    return text.replace("{checks}\n", _checks(found)).replace("{setup}\n", _setup(found))


def _checks(found: Sequence[Found]) -> str:
    if not found:
        return '# [checks.tests]\n# run = "make test"\n'
    # A lone check needs no longer name than what it is.
    names = ["tests"] if len(found) == 1 else [one.name for one in found]
    return "\n".join(
        f"[checks.{name}]\nrun = {tomlkit.string(one.run).as_string()}\n"
        for name, one in zip(names, found, strict=True)
    )


def _setup(found: Sequence[Found]) -> str:
    commands = [one.setup for one in found if one.setup]
    if not commands:
        return '# setup = ["npm ci"]\n'
    return f"setup = [{', '.join(tomlkit.string(command).as_string() for command in commands)}]\n"
