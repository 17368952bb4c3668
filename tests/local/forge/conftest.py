"""A GitHub on loopback with one repository, whose branches are real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.github import TOKEN, GitHubServer, running

from locus.local.forge.base import Proposal
from locus.local.forge.github import GitHub

PROPOSAL = Proposal(head="locus/sprint-1", base="main", title="Sprint 1", body="Two tasks.")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    bare = tmp_path / "repositories" / "acme" / "shop.git"
    bare.parent.mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=bare.parent, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "--bare", "-b", "main", str(bare))
    tree = git(f"--git-dir={bare}", "hash-object", "-t", "tree", "-w", "/dev/null")
    first = git(f"--git-dir={bare}", "commit-tree", tree, "-m", "first")
    second = git(f"--git-dir={bare}", "commit-tree", tree, "-p", first, "-m", "second")
    git(f"--git-dir={bare}", "update-ref", "refs/heads/main", first)
    git(f"--git-dir={bare}", "update-ref", "refs/heads/locus/sprint-1", second)
    with running(tmp_path / "repositories") as server:
        yield server


@pytest.fixture
def forge(github: GitHubServer) -> GitHub:
    return GitHub(github.api(), "acme", "shop", token=TOKEN, timeout=10.0)
