"""Which tests a repository has, told from its files; nothing of it is executed."""

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

LARGEST = 1 << 20  # bytes of a file that is looked into
MOST_FILES = 200  # test files that are looked into
UNLOCKED = "npm install --no-package-lock"  # it would write one, and that would be a change of every task


class Found(Struct, frozen=True):
    """A test runner: a name for its check, the command, and what a fresh tree needs before it."""

    name: str
    run: str
    setup: str | None = None


def tests(root: Path) -> list[Found]:
    """The test runners of a repository, best known first. `make test` counts only when nothing else was found."""
    found = [one for one in (_python(root), _node(root), _go(root), _cargo(root)) if one is not None]
    made = _make(root)
    return found or ([made] if made else [])


def _python(root: Path) -> Found | None:
    if _uses_pytest(root):
        if (root / "uv.lock").is_file():
            return Found("pytest", "uv run --frozen pytest -q", "uv sync --frozen")
        if (root / "poetry.lock").is_file():
            return Found("pytest", "poetry run pytest -q", "poetry install")
        return Found("pytest", "python3 -m pytest -q")
    if any(re.search(r"^\s*(?:import|from) unittest\b", text, re.MULTILINE) for text in _test_files(root)):
        return Found("unittest", "python3 -m unittest discover" + (" -s tests" if _is_loose(root / "tests") else ""))
    # Plain functions are found by no other runner.
    if any(re.search(r"^(?:async )?def test_", text, re.MULTILINE) for text in _test_files(root)):
        return Found("pytest", "python3 -m pytest -q")
    return None


def _uses_pytest(root: Path) -> bool:
    if (root / "pytest.ini").is_file() or (root / "conftest.py").is_file() or (root / "tests/conftest.py").is_file():
        return True
    if "[tool:pytest]" in _text(root / "setup.cfg") or "[pytest]" in _text(root / "tox.ini"):
        return True
    try:
        project = tomllib.loads(_text(root / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        project = {}
    tool = project.get("tool")
    if isinstance(tool, dict) and "pytest" in tool:
        return True
    return any(re.search(r"^\s*(?:import|from) pytest\b", text, re.MULTILINE) for text in _test_files(root))


def _test_files(root: Path) -> Iterator[str]:
    places = (root.glob("test_*.py"), root.glob("tests/**/test_*.py"), root.glob("test/**/test_*.py"))
    for path in islice((path for place in places for path in place), MOST_FILES):
        yield _text(path)


def _is_loose(folder: Path) -> bool:
    """Whether discovery from the root would pass the folder by, because it is no package."""
    return folder.is_dir() and not (folder / "__init__.py").exists()


def _node(root: Path) -> Found | None:
    try:
        package = json.loads(_text(root / "package.json") or "null")
    except ValueError:
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    # `npm init` writes a test script that only says that there is none.
    if not isinstance(script, str) or "no test specified" in script:
        return None
    if (root / "pnpm-lock.yaml").is_file():
        return Found("pnpm-test", "pnpm test", "pnpm install --frozen-lockfile")
    if (root / "yarn.lock").is_file():
        return Found("yarn-test", "yarn test", "yarn install --immutable")
    return Found("npm-test", "npm test", "npm ci" if (root / "package-lock.json").is_file() else UNLOCKED)


def _go(root: Path) -> Found | None:
    return Found("go-test", "go test ./...") if (root / "go.mod").is_file() else None


def _cargo(root: Path) -> Found | None:
    return Found("cargo-test", "cargo test") if (root / "Cargo.toml").is_file() else None


def _make(root: Path) -> Found | None:
    for name in ("GNUmakefile", "Makefile", "makefile"):
        if re.search(r"^(?:test|check)[ \t]*:(?!=)", _text(root / name), re.MULTILINE):
            target = "test" if re.search(r"^test[ \t]*:(?!=)", _text(root / name), re.MULTILINE) else "check"
            return Found(f"make-{target}", f"make {target}")
    return None


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
