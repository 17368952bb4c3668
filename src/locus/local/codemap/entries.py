"""Where a program begins: what manifests declare, and files that are called so that everybody knows."""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from locus.local.codemap.reading import Tree

MANIFEST_LIMIT = 256 << 10  # bytes
MOST_MANIFESTS = 50
MOST = 100

_WELL_KNOWN = re.compile(
    r"(^|/)(__main__\.py|manage\.py|wsgi\.py|asgi\.py|main\.(py|go|rs|c|cc|cpp|ts|js)|Program\.cs|config\.ru|artisan)$"
    r"|^(src/)?(index|server|app)\.(js|mjs|ts|tsx)$"
)


class EntryPoint(Struct, frozen=True):
    """Where something begins: the file that says so, and what begins there."""

    path: str
    starts: str
    declared: bool  # in a manifest; else the file is called as such files are


def entry_points(root: Path, paths: Iterable[str]) -> list[EntryPoint]:
    """The entry points of a tree: declared ones first. A manifest that cannot be read declares nothing."""
    ordered = sorted(paths, key=lambda path: (path.count("/"), path))
    manifests = [path for path in ordered if path.rpartition("/")[2] in _READERS][:MOST_MANIFESTS]
    declared: list[EntryPoint] = []
    with Tree(root) as tree:
        for path in manifests:
            content = tree.read(path, MANIFEST_LIMIT)
            read = _READERS[path.rpartition("/")[2]]
            declared += [EntryPoint(path, said, True) for said in (read(content) if content else [])]
    known = [EntryPoint(path, path.rpartition("/")[2], False) for path in ordered if _WELL_KNOWN.search(path)]
    return [*declared, *known][:MOST]


def _of_pyproject(content: bytes) -> list[str]:
    said = _toml(content)
    tables = [_table(said, "project", name) for name in ("scripts", "gui-scripts")]
    tables.append(_table(said, "tool", "poetry", "scripts"))
    return [f"{name} = {target}" for table in tables for name, target in table.items()]


def _of_setup(content: bytes) -> list[str]:
    setup = configparser.ConfigParser(interpolation=None)
    try:
        setup.read_string(content.decode("utf-8", "replace"))
    except configparser.Error:
        return []
    declared = setup.get("options.entry_points", "console_scripts", fallback="")
    return [line.strip() for line in declared.splitlines() if "=" in line]


def _of_cargo(content: bytes) -> list[str]:
    programs = _toml(content).get("bin")
    listed = [program for program in programs if isinstance(program, dict)] if isinstance(programs, list) else []
    return [f"{program.get('name', 'bin')} = {program.get('path', 'src/main.rs')}" for program in listed]


def _of_package(content: bytes) -> list[str]:
    try:
        package = json.loads(content)
    except (ValueError, RecursionError):
        return []
    if not isinstance(package, dict):
        return []
    programs, main = package.get("bin"), package.get("main")
    found = [f"{name} = {target}" for name, target in programs.items()] if isinstance(programs, dict) else []
    if isinstance(programs, str):
        found.append(f"{package.get('name', 'bin')} = {programs}")
    start = _table(package, "scripts").get("start")
    rest = (("main", main), ("npm start", start))
    return [*found, *(f"{name} = {said}" for name, said in rest if isinstance(said, str))]


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(said: Any, *names: str) -> dict[str, Any]:
    """The table of that name in the tables before it; an empty one when somebody put something else there."""
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, dict) else {}


_READERS: Mapping[str, Callable[[bytes], list[str]]] = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup,
    "package.json": _of_package,
    "Cargo.toml": _of_cargo,
}
