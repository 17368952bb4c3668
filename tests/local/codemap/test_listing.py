"""Which files of a checkout belong to the map."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from tests.local.codemap.mapped import write

from locus.local.codemap.listing import of_checkout, without_ignored
from locus.local.errors import LocalError
from locus.local.git.trouble import GitError

ENVIRONMENT = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write(tmp_path / "shop", {"a.py": "", ".gitignore": "*.log\n", "x.log": "", "lib/b.py": "", "lib/c.js": ""})
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=ENVIRONMENT)
    subprocess.run(["git", "add", "a.py", "lib"], check=True, env=ENVIRONMENT, cwd=root)
    return root


def listed(root: Path) -> set[str]:
    return set(asyncio.run(of_checkout(root, {**os.environ, **ENVIRONMENT})))


def test_tracked_and_new_files_belong_to_it_and_ignored_ones_do_not(root: Path) -> None:
    write(root, {"new.py": ""})

    assert listed(root) == {"a.py", ".gitignore", "lib/b.py", "lib/c.js", "new.py"}


def test_locusignore_is_written_as_gitignore_is(root: Path) -> None:
    write(root, {".locusignore": "# not ours\n/lib/*\n!/lib/c.js\n\n[\n"})

    assert listed(root) == {"a.py", ".gitignore", ".locusignore", "lib/c.js"}


def test_a_locusignore_that_leads_elsewhere_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "patterns").write_text("*\n")
    (root / ".locusignore").symlink_to(tmp_path / "patterns")

    with pytest.raises(LocalError, match="cannot be read"):
        without_ignored(root, ["a.py"])


def test_nothing_is_listed_when_nobody_can_tell_what_is_to_be_left_out(root: Path) -> None:
    (root / ".locusignore").write_text("/lib/\n" + "# much to say\n" * 5_000)

    with pytest.raises(LocalError, match="more than 64 KiB"):
        listed(root)


def test_the_repository_starts_nothing(root: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    with (root / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {program}\n\thooksPath = {tmp_path}\n")

    assert "a.py" in listed(root)
    assert not (tmp_path / "started").exists()


def test_outside_of_a_repository_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        listed(tmp_path)
