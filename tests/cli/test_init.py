"""`locus init`: four files, nothing else, as often as one likes."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.support import person as persons
from tests.support.person import Person

from locus.local.project import load
from locus.local.scaffold.detect import tests as detected


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return persons.new(tmp_path)


def everything(place: Path) -> dict[str, tuple[str, int, int]]:
    """Hash, mode and time of every file below a place."""
    found = {}
    for path in sorted(place.rglob("*")):
        if not path.is_dir():
            status = path.lstat()
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            found[str(path)] = (hashlib.sha256(content).hexdigest(), status.st_mode, status.st_mtime_ns)
    return found


def test_it_writes_its_four_files_and_touches_nothing_else(person: Person) -> None:
    root = person.repository()
    before = everything(person.home)

    said = person.locus("init", cwd=root)

    after = everything(person.home)
    new = {str(Path(path).relative_to(root)) for path in after.keys() - before.keys()}
    assert said.code == 0
    assert new == {".locus/config.toml", ".locus/LOCUS.md", ".locus/LEARNINGS.md", ".locus/.gitignore"}
    assert {path: after[path] for path in before} == before
    assert person.git("status", "--porcelain", "-uall", cwd=root).count("?? .locus/") == 4


def test_a_second_time_it_changes_nothing_and_says_so(person: Person) -> None:
    root = person.repository()
    person.locus("init", cwd=root)
    (root / ".locus" / "LOCUS.md").write_text("Ours.\n")
    before = everything(person.home)

    said = person.locus("init", cwd=root)

    assert said.code == 0
    assert everything(person.home) == before
    assert said.out.count("as it is") == 4


def test_what_is_missing_is_added_beside_what_is_kept(person: Person) -> None:
    root = person.repository()
    person.locus("init", cwd=root)
    (root / ".locus" / "LEARNINGS.md").unlink()

    told = json.loads(person.locus("init", "--json", cwd=root).out)

    assert told["written"] == [".locus/LEARNINGS.md"]
    assert len(told["kept"]) == 3


def test_from_a_folder_below_it_prepares_the_whole_repository(person: Person) -> None:
    root = person.repository()
    below = root / "src" / "deep"
    below.mkdir(parents=True)

    person.locus("init", cwd=below)

    assert (root / ".locus" / "config.toml").is_file()
    assert not (below / ".locus").exists()


def test_outside_of_a_repository_nothing_is_written(person: Person) -> None:
    before = everything(person.home)

    said = person.locus("init")

    assert said.code == 1
    assert "git init" in said.err
    assert everything(person.home) == before


def test_a_link_to_elsewhere_is_not_followed(person: Person) -> None:
    root = person.repository()
    elsewhere = person.home / "elsewhere"
    elsewhere.mkdir()
    (root / ".locus").symlink_to(elsewhere)
    assert person.locus("init", cwd=root).code == 1
    (root / ".locus").unlink()
    (root / ".locus").mkdir()
    (root / ".locus" / "LOCUS.md").symlink_to(elsewhere / "planted.md")
    assert person.locus("init", cwd=root).code == 0

    assert list(elsewhere.iterdir()) == []


def test_every_example_in_the_new_file_is_one_that_counts(person: Person) -> None:
    root = person.repository()
    person.locus("init", cwd=root)
    path = root / ".locus" / "config.toml"
    lines = path.read_text().splitlines()
    # A commented line is an example when it is a section or an assignment.
    examples = [
        line[2:] if line.startswith(("# [", "# ")) and ("= " in line or line.startswith("# [")) else line
        for line in lines
    ]
    path.write_text("\n".join(examples).replace('model = "…"', 'model = "opus"') + "\n")

    project = load(root)

    assert [check.name for check in project.checks] == ["tests", "lint", "own"]
    assert project.copy == (".env",)
    assert project.setup == ("npm ci",)
    assert person.locus("config", "get", "check_rounds", cwd=root).out == "3\n"


FILES = {
    "pytest by configuration": ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["python3 -m pytest -q"]),
    "pytest by import": ({"tests/test_a.py": "import pytest\n"}, ["python3 -m pytest -q"]),
    "pytest by uv": ({"pytest.ini": "", "uv.lock": ""}, ["uv run --frozen pytest -q"]),
    "pytest by poetry": ({"conftest.py": "", "poetry.lock": ""}, ["poetry run pytest -q"]),
    "pytest by plain functions": ({"test_a.py": "from a import b\n\n\ndef test_b():\n"}, ["python3 -m pytest -q"]),
    "unittest": ({"test_a.py": "import unittest\n"}, ["python3 -m unittest discover"]),
    "unittest in a folder": ({"tests/test_a.py": "import unittest\n"}, ["python3 -m unittest discover -s tests"]),
    "npm": ({"package.json": '{"scripts":{"test":"vitest"}}', "package-lock.json": ""}, ["npm test"]),
    "pnpm": ({"package.json": '{"scripts":{"test":"vitest"}}', "pnpm-lock.yaml": ""}, ["pnpm test"]),
    "npm without tests": ({"package.json": '{"scripts":{"test":"echo no test specified && exit 1"}}'}, []),
    "go": ({"go.mod": "module x\n"}, ["go test ./..."]),
    "cargo": ({"Cargo.toml": "[package]\n"}, ["cargo test"]),
    "make": ({"Makefile": "build:\n\ntest: build\n\ttrue\n"}, ["make test"]),
    "make check": ({"Makefile": "check:\n\ttrue\n"}, ["make check"]),
    "make without tests": ({"Makefile": "testing = 1\ntest := 2\n"}, []),
    "make beside another": ({"Makefile": "test:\n", "go.mod": ""}, ["go test ./..."]),
    "several": (
        {"pytest.ini": "", "package.json": '{"scripts":{"test":"jest"}}'},
        ["python3 -m pytest -q", "npm test"],
    ),
    "broken files": ({"package.json": "{", "pyproject.toml": "["}, []),
    "strange files": ({"package.json": '{"scripts":[]}'}, []),
    "nothing": ({}, []),
}


@pytest.mark.parametrize(("files", "commands"), FILES.values(), ids=FILES.keys())
def test_the_tests_of_a_repository_are_recognised(files: dict[str, str], commands: list[str], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    assert [found.run for found in detected(tmp_path)] == commands


@pytest.mark.parametrize(
    ("lock", "setup"),
    [
        (None, "npm install --no-package-lock"),
        ("package-lock.json", "npm ci"),
        ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn install --immutable"),
    ],
)
def test_what_makes_a_tree_ready_neither_writes_nor_changes_a_lock_file(
    tmp_path: Path, lock: str | None, setup: str
) -> None:
    (tmp_path / "package.json").write_text('{"scripts":{"test":"vitest"}}')
    if lock is not None:
        (tmp_path / lock).touch()

    assert [found.setup for found in detected(tmp_path)] == [setup]


def test_recognised_tests_become_checks_with_what_a_fresh_tree_needs(person: Person) -> None:
    root = person.repository()
    (root / "package.json").write_text('{"scripts":{"test":"vitest"}}')
    (root / "package-lock.json").write_text("{}")
    (root / "go.mod").write_text("module x\n")

    said = person.locus("init", cwd=root)

    project = load(root)
    assert [(check.name, check.run) for check in project.checks] == [
        ("npm-test", "npm test"),
        ("go-test", "go test ./..."),
    ]
    assert project.setup == ("npm ci",)
    assert "Check `npm-test` runs: npm test" in said.out
