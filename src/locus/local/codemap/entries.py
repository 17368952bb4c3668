"""Where a program begins: what manifests declare, and files that are called so that everybody knows."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from locus.local.codemap.reading import Tree

MANIFEST_LIMIT = 256 << 10  # bytes
MOST_MANIFESTS = 50
MOST = 100

_WELL_KNOWN = re.compile(
    r"(^|/)(__main__\.py|manage\.py|wsgi\.py|asgi\.py|main\.(py|go|rs|c|cc|cpp|ts|js)|Program\.cs|config\.ru|artisan)$"
    r"|^(src/)?(index|server|app)\.(js|mjs|ts|tsx)$"
)


@dataclass(frozen=True)
class EntryPoint:
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
    try:
        project = tomllib.loads(content.decode("utf-8", "replace")).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    tables = [project.get(name) for name in ("scripts", "gui-scripts")] if isinstance(project, dict) else []
    return [f"{name} = {target}" for table in tables if isinstance(table, dict) for name, target in table.items()]


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
    return [*found, f"main = {main}"] if isinstance(main, str) else found


_READERS: Mapping[str, Callable[[bytes], list[str]]] = {
    "pyproject.toml": _of_pyproject,
    "package.json": _of_package,
}
