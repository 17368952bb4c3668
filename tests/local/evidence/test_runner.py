"""Changes of how tests are run, in files that ordinary work changes too."""

import pytest

from locus.local.evidence.runner import changed, named
from locus.local.git.lines import FileLines
from locus.local.project import Check


def told(path: str, added: str = "", removed: str = "", *, run: str = "pytest -q", existed: bool = True) -> list[str]:
    lines = FileLines(path, existed, True, list(enumerate(added.splitlines(), start=1)), removed.splitlines())
    return changed([lines], [Check("unit", run)], known={path} if existed else set())


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("tests/conftest.py", "def pytest_collection_modifyitems(items):"),
        ("conftest.py", "collect_ignore = ['test_a.py']"),
        ("conftest.py", "@pytest.fixture(autouse=True)"),
        ("conftest.py", "shop.total = sum"),
        ("conftest.py", "    os._exit(0)"),
        ("pyproject.toml", 'addopts = "-k fast"'),
        ("pyproject.toml", "[tool.pytest.ini_options]"),
        ("setup.cfg", "testpaths = fast"),
        ("package.json", '    "test": "true",'),
        ("web/package.json", '  "jest": {'),
    ],
)
def test_a_telling_line_is_told(path: str, line: str) -> None:
    assert told(path, line) == [f"{path} changes how tests are run"]
    assert told(path, removed=line) == [f"{path} changes how tests are run"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("tests/conftest.py", "@pytest.fixture"),
        ("tests/conftest.py", "    return Shop(prices=[1, 2])"),
        ("tests/conftest.py", "ROOT = Path(__file__).parents[1]"),
        ("pyproject.toml", 'dependencies = ["httpx>=0.28"]'),
        ("package.json", '    "left-pad": "^1.3.0",'),
        ("package.json", '    "start": "node server.js",'),
        ("Makefile", "build:"),
        ("src/pytest_helpers.py", "def pytest_x():"),
    ],
)
def test_ordinary_lines_are_not(path: str, line: str) -> None:
    assert told(path, line) == []


@pytest.mark.parametrize(
    ("run", "path"),
    [
        ("./run-tests", "run-tests"),
        ("cd x && sh scripts/test.sh -v", "scripts/test.sh"),
        ("CI=1 bash -e ci/all.sh", "ci/all.sh"),
        ("make test", "Makefile"),
        ("true; just check", "justfile"),
    ],
)
def test_what_a_check_itself_runs_is_told(run: str, path: str) -> None:
    assert path in named(run)
    assert told(path, "exit 0", run=run) == [f"{path} is what a check runs"]


def test_the_tests_that_a_check_names_may_change() -> None:
    assert told("tests/test_a.py", "def test_b():", run="python3 -m pytest tests/test_a.py") == []


@pytest.mark.parametrize("path", ["pytest.py", "pluggy/__init__.py", "json.py", "unittest/__init__.py"])
def test_a_new_file_that_hides_a_module_is_told(path: str) -> None:
    assert told(path, "x", existed=False) == [f"{path} takes the place of a module that test runs import"]


@pytest.mark.parametrize("path", ["src/json.py", "shop.py", "test/__init__.py", "types/__init__.py", "json/readme.md"])
def test_a_new_file_that_hides_none_is_not(path: str) -> None:
    assert told(path, "x", existed=False) == []
