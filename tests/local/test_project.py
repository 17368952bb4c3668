"""What a repository may say in .locus/config.toml, and how a mistake in it is told."""

import os
import subprocess
from pathlib import Path

import pytest

from locus.local.errors import LocalError
from locus.local.known_files import PROTECTED
from locus.local.project import Check, Project, find, load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (root / ".locus").mkdir()
    return root


def write(root: Path, text: str) -> Path:
    path = root / ".locus" / "config.toml"
    path.write_text(text)
    return path


def test_without_a_file_a_project_is_empty_and_still_protected(root: Path) -> None:
    assert load(root) == Project(root=root, protected=PROTECTED)


def test_a_review_can_be_required_and_no_check_takes_its_name(root: Path) -> None:
    write(root, "[review]\nrequired = true\ntokens = 5000\nprovider = 'codex'\n")
    found = load(root)
    write(root, "[review]\nrequired = true\n[checks.review]\nrun = 'true'\n")

    assert (found.review_required, found.review_tokens) == (True, 5000)
    with pytest.raises(LocalError, match="has the name of the review"):
        load(root)


def test_everything_a_file_can_say_is_read(root: Path) -> None:
    write(
        root,
        """
        workspace = "AUTH"
        [checks.unit]
        run = "pytest -q"
        timeout = 90
        tests = '(\\d+) passed'
        [checks.lint]
        run = "ruff check ."
        [worktree]
        copy = [".env"]
        setup = ["npm ci"]
        [protected]
        paths = ["infra/**"]
        [agent]
        provider = "codex"
        [limits]
        max_tasks = 4
        """,
    )
    (root / ".locus" / "LOCUS.md").write_text("Be kind.")

    project = load(root)

    assert project.checks == (
        Check("unit", "pytest -q", 90.0, r"(\d+) passed"),
        Check("lint", "ruff check .", 600.0, None),
    )
    assert (project.copy, project.setup, project.protected) == ((".env",), ("npm ci",), ("infra/**",))
    assert project.instructions == root / ".locus" / "LOCUS.md"
    assert project.learnings is None
    assert project.configured


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[checks.unit]\nrn = 'x'\n", 2, "checks.unit.run"),
        ("[chekcs.unit]\nrun = 'x'\n", 2, "chekcs.unit.run"),
        ("[worktree]\n\nstup = []\n", 3, "worktree.setup"),
        ("[agent]\nmodell = 'x'\n", 2, "agent.model"),
        ("[limits]\nprovider = 'codex'\n", 2, "agent.provider"),
        ("[checks.unit]\ntimeout = 5\n", 1, "needs a command"),
        ("[checks.unit]\nrun = ''\n", 1, "needs a command"),
        ("[checks.unit]\nrun = 'x'\ntimeout = 0\n", 3, "number of seconds"),
        ("[checks.unit]\nrun = 'x'\ntimeout = true\n", 3, "number of seconds"),
        ("[checks.unit]\nrun = 'x'\ntests = '('\n", 3, "not a regular expression"),
        ("[checks.unit]\nrun = 'x'\ntests = 'passed'\n", 3, "group"),
        ("[checks.'Unit Tests']\nrun = 'x'\n", 1, "no name for a check"),
        ("[checks]\nunit = 'pytest'\n", 2, "must be a section"),
        ("checks = 1\n", 1, "section"),
        ("worktree = []\n", 1, "section"),
        ("[worktree]\ncopy = '.env'\n", 2, "list of texts"),
        ("[worktree]\ncopy = ['/etc/passwd']\n", 2, "inside the repository"),
        ("[worktree]\ncopy = ['../secret']\n", 2, "inside the repository"),
        ("[worktree]\ncopy = ['~/.ssh/id']\n", 2, "inside the repository"),
        ("[worktree]\nsetup = ['']\n", 2, "must be a command"),
        ("[protected]\npaths = [1]\n", 2, "list of texts"),
    ],
)
def test_a_mistake_is_told_with_its_line(root: Path, text: str, line: int, says: str) -> None:
    path = write(root, text)

    with pytest.raises(LocalError) as raised:
        load(root)

    assert f"{path}:{line}:" in raised.value.message
    assert says in str(raised.value)


def test_text_that_is_no_toml_is_told_with_its_line(root: Path) -> None:
    write(root, "[checks.unit]\nrun = \n")

    with pytest.raises(LocalError, match="line 2"):
        load(root)


def test_a_file_that_is_no_text_is_told(root: Path) -> None:
    (root / ".locus" / "config.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(LocalError, match="not UTF-8"):
        load(root)


def test_more_checks_than_a_report_can_carry_are_refused(root: Path) -> None:
    write(root, "\n".join(f"[checks.c{n}]\nrun = 'true'" for n in range(51)))

    with pytest.raises(LocalError, match="at most 50"):
        load(root)


def test_a_repository_that_cannot_be_read_says_so(root: Path) -> None:
    (root / ".git").chmod(0)
    try:
        if os.access(root / ".git", os.X_OK):
            pytest.skip("whoever runs this may read everything")
        with pytest.raises(LocalError, match="cannot be read: Permission denied"):
            find(root)
    finally:
        (root / ".git").chmod(0o700)


def test_the_root_is_the_nearest_repository_around(root: Path) -> None:
    inner = root / "vendor" / "library"
    deep = inner / "src"
    deep.mkdir(parents=True)
    assert find(deep) == root

    (inner / ".git").write_text("gitdir: ../../.git/modules/library\n")
    assert find(deep) == inner


def test_an_empty_folder_called_git_is_no_repository(root: Path) -> None:
    inner = root / "inner"
    (inner / ".git").mkdir(parents=True)

    assert find(inner) == root


def test_outside_of_a_repository_the_remedy_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="git init"):
        find(tmp_path)


def test_everything_that_a_check_can_say_is_read(root: Path) -> None:
    write(
        root,
        """
        [checks.unit]
        run = "make test"
        needs = ["build"]
        paths = ["src/**"]
        junit = "out/report.xml"
        min_tests = 3
        test_files = ["t/**"]
        [checks.build]
        run = "make"
        """,
    )

    assert load(root).checks == (
        Check("build", "make"),
        Check(
            "unit",
            "make test",
            needs=("build",),
            paths=("src/**",),
            junit="out/report.xml",
            min_tests=3,
            test_files=("t/**",),
        ),
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('needs = ["imaginary"]', "there is no such check"),
        ('needs = ["unit"]', "leads back to the check itself"),
        ('needs = "build"', "must be a list of texts"),
        ('paths = ["/etc"]', "must be a path inside the repository"),
        ('junit = "../report.xml"', "must be a path inside the repository"),
        ("junit = 3", "must be a path"),
        ("min_tests = 0", "1 or more"),
        ("min_tests = true", "1 or more"),
    ],
)
def test_a_mistake_in_a_check_is_told_with_its_place(root: Path, line: str, message: str) -> None:
    path = write(root, f'[checks.unit]\nrun = "make test"\n{line}\n')

    with pytest.raises(LocalError, match=message) as caught:
        load(root)

    assert str(path) in str(caught.value)


def test_a_bare_repository_is_told_from_no_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "shop.git"], check=True)
    (tmp_path / "plain").mkdir()

    with pytest.raises(LocalError, match="without files of its own"):
        find(tmp_path / "shop.git")
    with pytest.raises(LocalError, match="not inside a git repository"):
        find(tmp_path / "plain")
