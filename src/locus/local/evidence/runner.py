"""Changes of how tests are found and run, in files that ordinary work changes too. Pure.

Whole files that only configure a runner are among the protected ones. Here are the others: a few telling lines of a
conftest.py or a pyproject.toml, and the scripts that a check's own command names.
"""

import re
import shlex
import sys
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from locus.local.git.lines import FileLines
from locus.local.project import Check

# For a file of this name: lines that decide which tests run, or what becomes of their outcome.
TELLING: dict[str, re.Pattern[str]] = {
    "conftest.py": re.compile(
        r"\bdef\s+pytest_|\bcollect_ignore|\bpytest_plugins\b|\bautouse\s*=\s*True|\bos\._exit\b|\bsys\.exit\b"
        r"|\batexit\b|\bsys\.modules\b|\b_pytest\b|\bTestCase\b|\bbuiltins\b|\bsetattr\(|\bsys\.settrace\b"
        r"|^[A-Za-z_]\w*(?:\.\w+)+\s*=[^=]"  # at the first column: something is replaced for every test
    ),
    "pyproject.toml": re.compile(
        r"\[tool\.pytest|^\s*(?:addopts|testpaths|norecursedirs|collect_ignore|python_(?:files|classes|functions))\s*="
        r"|--(?:ignore|deselect|continue-on-collection-errors|exitfirst)\b|\bexclude_also\b"
    ),
    "setup.cfg": re.compile(
        r"\[tool:pytest\]|^\s*(?:addopts|testpaths|norecursedirs|python_\w+)\s*=|--ignore|--deselect"
    ),
    "package.json": re.compile(
        r'"(?:pre|post)?(?:test|check|lint|build|ci)(?:[:\w-]*)"\s*:|"(?:jest|vitest|mocha|ava|tap|c8|nyc)"\s*:\s*\{'
        r'|"(?:testMatch|testRegex|testPathIgnorePatterns|passWithNoTests|bail|spec|ignore)"\s*:'
    ),
}
INTERPRETERS = frozenset(
    {"sh", "bash", "dash", "zsh", "python", "python3", "node", "ruby", "perl", "env", "exec", "time"}
)
MAKERS: dict[str, frozenset[str]] = {
    "make": frozenset({"Makefile", "makefile", "GNUmakefile"}),
    "gmake": frozenset({"Makefile", "makefile", "GNUmakefile"}),
    "just": frozenset({"justfile", "Justfile", ".justfile"}),
    "task": frozenset({"Taskfile.yml", "Taskfile.yaml"}),
    "nox": frozenset({"noxfile.py"}),
    "rake": frozenset({"Rakefile"}),
}
# Modules that a test run imports by name; a file of that name at the root of the repository comes before them.
IMPORTED = frozenset(sys.stdlib_module_names) | {
    *("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "exceptiongroup", "tomli", "coverage", "xdist", "nose"),
    *("hypothesis", "mypy", "ruff", "tox", "nox", "pygments", "execnet", "anyio", "pytest_asyncio", "pytest_cov"),
}
ORDINARY = frozenset({"test", "this", "code", "profile", "types"})  # names of the library that projects use as well
_ENDS = re.compile(r"&&|\|\|?|;|\n|&")


def changed(files: Iterable[FileLines], checks: Iterable[Check], *, known: Collection[str]) -> list[str]:
    """What a change does to the running of tests, a sentence each. `known` are the files of the task's base."""
    scripts = {path for check in checks for path in named(check.run)}
    found: list[str] = []
    for file in files:
        if file.path in scripts and file.path in known:
            found.append(f"{file.path} is what a check runs")
            continue
        if file.exists and not file.existed and _hides(file.path):
            found.append(f"{file.path} takes the place of a module that test runs import")
            continue
        pattern = TELLING.get(PurePosixPath(file.path).name)
        if pattern is not None and any(
            pattern.search(line) for line in (*(line for _, line in file.added), *file.removed)
        ):
            found.append(f"{file.path} changes how tests are run")
    return found


def _hides(path: str) -> bool:
    """Whether a new file at the root is imported instead of a module of the interpreter or of a test runner."""
    first, _, rest = path.partition("/")
    name = first.removesuffix(".py") if not rest and first.endswith(".py") else first if rest == "__init__.py" else ""
    return name in IMPORTED and name not in ORDINARY


def named(command: str) -> set[str]:
    """The files of the repository that a shell command runs itself: a script, or what make and its kin read."""
    found: set[str] = set()
    for part in _ENDS.split(command):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        while words and (words[0] in INTERPRETERS or "=" in words[0] or words[0].startswith("-")):
            words = words[1:]
        if not words:
            continue
        found |= MAKERS.get(PurePosixPath(words[0]).name, frozenset())
        path = words[0].removeprefix("./")
        if not path.startswith(("/", "~", "..")):
            found.add(path)
    return found
