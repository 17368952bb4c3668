"""git over HTTP with a password, and the way from a commit to its pull request."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.local.git.project import BRANCH, Bench, Project, git
from tests.support.github import TOKEN, GitHubServer, running

from locus.local.forge.base import Proposal, propose
from locus.local.forge.github import GitHub
from locus.local.forge.table import Choice, forge_for
from locus.local.git.clone import PrivateClone
from locus.local.git.publish import Pushed, Refused
from locus.local.git.trouble import GitError, Reason

PASSWORD = "s3cr3t-pass"


@pytest.fixture
def github(project: Project) -> Iterator[GitHubServer]:
    bare = project.place / "repositories" / "acme" / "shop.git"
    bare.parent.mkdir(parents=True)
    project.remote.rename(bare)
    project.remote.symlink_to(bare)
    git(bare, "config", "http.receivepack", "true", env=project.env)
    with running(project.place / "repositories") as server:
        server.password = PASSWORD
        yield server


def address(github: GitHubServer, userinfo: str = "") -> str:
    return f"{github.url.replace('http://', f'http://{userinfo}')}/acme/shop.git"


@pytest.fixture
async def bench(project: Project, github: GitHubServer) -> AsyncIterator[Bench]:
    """Signed in by a credential helper of the user, which is a program in the user's own settings."""
    helper = f"!f() {{ echo username=ada; echo password={PASSWORD}; }}; f"
    git(project.root, "config", "--global", "credential.helper", helper, env=project.env)
    project.git("remote", "set-url", "origin", address(github))
    clone = await project.clone()
    fetched = await clone.fetch("main", BRANCH)
    await clone.prepare(fetched)
    yield Bench(project, clone, fetched)
    clone.close()


async def test_a_sprint_goes_from_a_commit_to_one_pull_request(
    bench: Bench, github: GitHubServer, tmp_path: Path
) -> None:
    choice = Choice(kind="github", api=github.api())
    environment = {**bench.project.env, "GITHUB_TOKEN": TOKEN}
    forge = await forge_for(bench.clone.checkout.remote, environment, tmp_path / "forge", choice=choice)
    pulls = []
    base = bench.base
    for number in (1, 2):
        (bench.tree / f"{number}.txt").write_text("x\n")
        sha = await bench.commit(f"Task {number}", base=base)
        assert await bench.clone.publish(sha, BRANCH) == Pushed(sha, sha)
        pulls.append(await propose(forge, Proposal(BRANCH, "main", "Sprint 1", f"{number} done")))
        await bench.clone.prepare(bench.fetched, at=sha)
        base = sha

    assert isinstance(forge, GitHub)
    assert pulls[0] == pulls[1] and len(github.pulls) == 1
    assert github.pulls[0]["body"] == "2 done"
    assert github.branches("acme", "shop")[BRANCH] == base


async def test_the_password_of_an_address_is_used_and_never_shown(project: Project, github: GitHubServer) -> None:
    project.git("remote", "set-url", "origin", address(github, f"ada:{PASSWORD}@"))
    clone = await project.clone()
    fetched = await clone.fetch("main", BRANCH)
    github.password = "changed meanwhile"

    outcome = await clone.publish(fetched.base, BRANCH)
    with pytest.raises(GitError) as failure:
        await clone.fetch("main", BRANCH)

    assert isinstance(outcome, Refused) and outcome.reason is Reason.AUTH
    assert failure.value.reason is Reason.AUTH
    for text in (outcome.text, str(failure.value), str(clone.checkout.remote), repr(outcome)):
        assert PASSWORD not in text
    clone.close()


async def test_without_credentials_nobody_is_asked(project: Project, github: GitHubServer, tmp_path: Path) -> None:
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\necho x\n")
    program.chmod(0o755)
    project.env |= {"GIT_ASKPASS": str(program), "SSH_ASKPASS": str(program)}
    git(project.root, "config", "--global", "core.askPass", str(program), env=project.env)
    project.git("remote", "set-url", "origin", address(github))
    clone = await project.clone()

    with pytest.raises(GitError) as failure:
        await clone.fetch("main", BRANCH)

    assert failure.value.reason is Reason.AUTH
    assert not (tmp_path / "asked").exists()
    clone.close()


async def test_a_header_of_the_users_repository_is_sent_and_not_on_the_command_line(
    project: Project, github: GitHubServer, tmp_path: Path
) -> None:
    """As automations sign in: by a header in the repository's own settings."""
    basic = b64encode(f"ada:{PASSWORD}".encode()).decode()
    project.git("remote", "set-url", "origin", address(github))
    project.git("config", "http.extraHeader", f"Authorization: Basic {basic}")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/argv\nPATH="${{PATH#*:}}" exec git "$@"\n')
    wrapper.chmod(0o755)
    project.env["PATH"] = f"{wrapper.parent}:{project.env['PATH']}"
    clone = await project.clone()

    await clone.fetch("main", BRANCH)

    seen = (tmp_path / "argv").read_text()
    assert "ls-remote" in seen and basic not in seen
    clone.close()


async def test_settings_that_an_agent_writes_during_the_run_are_not_read(bench: Bench, tmp_path: Path) -> None:
    """An agent without a sandbox can write to the user's repository; what we read of it, we read before."""
    bench.project.git("config", "credential.helper", f"!touch {tmp_path}/executed;")
    bench.project.git("config", "core.sshCommand", f"touch {tmp_path}/executed;")
    bench.project.git("config", "http.proxy", "http://127.0.0.1:9")
    (bench.tree / "x.txt").write_text("x\n")

    outcome = await bench.clone.publish(await bench.commit(), BRANCH)

    assert isinstance(outcome, Pushed)
    assert not (tmp_path / "executed").exists()


async def test_a_repository_that_is_not_there_is_not_found(bench: Bench, github: GitHubServer) -> None:
    checkout = bench.clone.checkout
    gone = address(github).replace("shop", "gone")
    moved = replace(checkout, remote=replace(checkout.remote, fetch_url=gone, push_url=gone))
    clone = await PrivateClone.open(moved, bench.project.state)

    with pytest.raises(GitError) as failure:
        await clone.fetch("main", BRANCH)

    assert failure.value.reason is Reason.NOT_FOUND
    clone.close()
