"""Pushed means that the remote has it. Everything else has a name, and ends in time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from tests.local.git.project import BRANCH, Bench, Project, git, make_bench, until

from locus.local.git.publish import Conflict, Pushed, Rebased, Refused, Rejected, Vanished, publish
from locus.local.git.runner import Git
from locus.local.git.trouble import Reason


def hook(bench: Bench, name: str, script: str) -> None:
    path = bench.project.remote / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def a_commit(bench: Bench, text: str = "ours\n", *, path: str = "README.md") -> str:
    (bench.tree / path).write_text(text)
    return await bench.commit()


async def test_a_pushed_commit_is_what_the_remote_points_to(bench: Bench) -> None:
    sha = await a_commit(bench)

    assert await bench.clone.publish(sha, BRANCH) == Pushed(sha, sha)
    assert bench.project.remote_head() == sha
    assert bench.project.at_remote("show", f"{sha}:README.md") == "ours"


async def test_pushing_twice_is_pushing_once(bench: Bench) -> None:
    sha = await a_commit(bench)
    await bench.clone.publish(sha, BRANCH)

    assert await bench.clone.publish(sha, BRANCH) == Pushed(sha, sha)


async def test_what_was_pushed_is_not_fetched_again(project: Project, tmp_path: Path) -> None:
    log, real = tmp_path / "log", shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    project.env["PATH"] = f"{tmp_path / 'bin'}:{project.env['PATH']}"
    bench = await make_bench(project)
    sha = await a_commit(bench)
    await bench.clone.publish(sha, BRANCH)
    log.write_text("")

    ours = await bench.clone.fetch("main", BRANCH)
    calls = log.read_text()
    head = bench.project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    theirs = await bench.clone.fetch("main", BRANCH)
    bench.clone.close()

    assert ours.head == sha
    assert " ls-remote " in calls
    assert " fetch " not in calls
    assert theirs.head == head


async def test_nothing_but_the_one_branch_is_pushed(bench: Bench) -> None:
    git(bench.project.root, "config", "--global", "push.followTags", "true", env=bench.project.env)
    sha = await a_commit(bench)
    env = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    await bench.clone.git.local("tag", "-a", "-m", "x", "v1", sha, extra=env)

    await bench.clone.publish(sha, BRANCH)

    assert bench.project.at_remote("for-each-ref", "--format=%(refname)").split() == [
        f"refs/heads/{BRANCH}",
        "refs/heads/main",
    ]


async def test_somebody_elses_commit_is_never_overwritten(bench: Bench) -> None:
    theirs = bench.project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    sha = await a_commit(bench)

    outcome = await bench.clone.publish(sha, BRANCH)

    assert outcome == Rejected(theirs)
    assert bench.project.remote_head() == theirs


async def test_a_rejected_change_is_moved_on_top_and_pushed(bench: Bench) -> None:
    theirs = bench.project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    sha = await a_commit(bench)
    assert await bench.clone.publish(sha, BRANCH) == Rejected(theirs)

    rebased = await bench.clone.rebase(bench.fetched, sha, theirs)

    assert isinstance(rebased, Rebased)
    assert (bench.tree / "README.md").read_text() == "ours\n" and (bench.tree / "theirs.txt").exists()
    assert bench.agent("status", "--porcelain") == "M  README.md"
    assert bench.agent("rev-parse", "HEAD") == theirs
    assert isinstance(await bench.clone.publish(rebased.sha, BRANCH), Pushed)
    titles = bench.project.at_remote("log", "--format=%s", BRANCH).split("\n")
    assert titles == ["Count prices", "by a teammate", "A shop"]
    told = [await bench.clone.git.text("show", "-s", "--format=%an%n%at%n%ct%n%B", each) for each in (sha, rebased.sha)]
    assert told[0] == told[1]


async def test_a_change_that_does_not_fit_is_a_conflict_with_its_paths(bench: Bench) -> None:
    sha = await a_commit(bench, "ours\n")
    theirs = bench.project.push_as_teammate(BRANCH, "README.md", "theirs\n")
    await bench.clone.publish(sha, BRANCH)

    outcome = await bench.clone.rebase(bench.fetched, sha, theirs)

    assert outcome == Conflict(("README.md",))
    assert (bench.tree / "README.md").read_text() == "theirs\n"
    assert bench.agent("status", "--porcelain") == ""
    assert await bench.clone.git.text("show", f"{sha}:README.md") == "ours"


async def test_a_change_that_others_pushed_already_vanishes(bench: Bench) -> None:
    sha = await a_commit(bench, "the same\n")
    theirs = bench.project.push_as_teammate(BRANCH, "README.md", "the same\n")
    await bench.clone.publish(sha, BRANCH)

    assert await bench.clone.rebase(bench.fetched, sha, theirs) == Vanished()


async def test_a_push_that_others_built_upon_counts_as_pushed(bench: Bench) -> None:
    sha = await a_commit(bench)
    await bench.clone.publish(sha, BRANCH)
    theirs = bench.project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")

    assert await bench.clone.publish(sha, BRANCH) == Pushed(sha, theirs)


@pytest.mark.parametrize(
    ("script", "reason", "said"),
    [
        ("echo no secrets allowed; exit 1", Reason.HOOK, "no secrets allowed"),
        ("echo GH006: Protected branch update failed; exit 1", Reason.PROTECTED, "GH006"),
        ("head -c 12000000 /dev/zero | tr '\\0' x; echo; exit 1", Reason.HOOK, "declined"),
    ],
    ids=["hook", "protected", "chatty"],
)
async def test_a_push_that_the_remote_refuses_has_a_reason(
    bench: Bench, script: str, reason: Reason, said: str
) -> None:
    hook(bench, "pre-receive", script)
    sha = await a_commit(bench)

    outcome = await bench.clone.publish(sha, BRANCH)

    assert isinstance(outcome, Refused) and outcome.reason is reason
    assert said in outcome.text and len(outcome.text) < 5000
    assert BRANCH not in bench.project.at_remote("branch", "--list", BRANCH)


async def test_a_remote_that_is_gone_is_told(bench: Bench) -> None:
    sha = await a_commit(bench)
    bench.project.remote.rename(bench.project.place / "moved.git")

    outcome = await bench.clone.publish(sha, BRANCH)

    assert isinstance(outcome, Refused) and outcome.reason is Reason.NOT_FOUND


async def test_a_port_where_nobody_listens_is_unreachable(bench: Bench) -> None:
    outcome = await publish(bench.clone.git, "http://127.0.0.1:9/x.git", bench.base, BRANCH)

    assert isinstance(outcome, Refused) and outcome.reason is Reason.UNREACHABLE


async def test_a_push_that_hangs_ends_in_time_with_everything_it_started(bench: Bench, tmp_path: Path) -> None:
    hook(bench, "pre-receive", f"echo $$ > {tmp_path}/pid; sleep 1000")
    sha = await a_commit(bench)
    started = time.monotonic()

    outcome = await publish(bench.clone.git, str(bench.project.remote), sha, BRANCH, timeout=2.0)

    assert isinstance(outcome, Refused) and outcome.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 30
    pid = int((tmp_path / "pid").read_text())
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert BRANCH not in bench.project.at_remote("branch", "--list", BRANCH)


async def test_a_push_whose_end_nobody_saw_is_asked_about(bench: Bench) -> None:
    hook(bench, "post-receive", "sleep 1000")  # the ref has moved, and the client waits
    sha = await a_commit(bench)

    outcome = await publish(bench.clone.git, str(bench.project.remote), sha, BRANCH, timeout=2.0)

    assert outcome == Pushed(sha, sha)


async def test_a_remote_that_says_yes_and_does_nothing_is_not_believed(bench: Bench) -> None:
    hook(bench, "post-receive", f"git update-ref -d refs/heads/{BRANCH}")
    sha = await a_commit(bench)

    outcome = await bench.clone.publish(sha, BRANCH)

    assert isinstance(outcome, Refused) and outcome.reason is Reason.UNPROVEN


@pytest.mark.parametrize("branch", ["-d", "--mirror", "+x", "a:b", "x y", "../x", ":main"])
async def test_a_branch_cannot_be_an_option_or_a_second_refspec(bench: Bench, branch: str) -> None:
    with pytest.raises(ValueError, match="not a name for a branch"):
        await bench.clone.publish(bench.base, branch)


@pytest.mark.parametrize("sha", ["HEAD", "", "-f", "abc", "+" + "0" * 40, "main"])
async def test_only_a_full_id_can_be_pushed(bench: Bench, sha: str) -> None:
    with pytest.raises(ValueError, match="not the full id"):
        await bench.clone.publish(sha, BRANCH)


async def test_an_address_cannot_be_an_option(bench: Bench, tmp_path: Path) -> None:
    url = f"--receive-pack=touch {tmp_path}/executed;"

    outcome = await publish(bench.clone.git, url, bench.base, BRANCH)

    assert isinstance(outcome, Refused)
    assert not (tmp_path / "executed").exists()


def plant(path: Path, tmp_path: Path) -> None:
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    path.chmod(0o755)


async def test_the_users_hooks_do_not_run_and_tracing_does_not_leak(bench: Bench, tmp_path: Path) -> None:
    git(bench.project.root, "config", "--global", "core.hooksPath", str(tmp_path / "hooks"), env=bench.project.env)
    (tmp_path / "hooks").mkdir()
    plant(tmp_path / "hooks" / "pre-push", tmp_path)
    environment = {**bench.clone.git.reach.environment, "GIT_TRACE": str(tmp_path / "trace"), "GIT_DIR": "/nonexistent"}
    traced = Git(bench.clone.git.directory, replace(bench.clone.git.reach, environment=environment))

    outcome = await publish(traced, str(bench.project.remote), await a_commit(bench), BRANCH)
    assert not (tmp_path / "executed").exists()
    plant(tmp_path / "hooks" / "reference-transaction", tmp_path)
    bench.project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    (tmp_path / "executed").unlink()  # the control: a teammate's git with the same settings does run them
    await bench.clone.fetch("main", BRANCH)

    assert isinstance(outcome, Pushed)
    assert not (tmp_path / "executed").exists() and not (tmp_path / "trace").exists()


async def test_the_users_rules_for_addresses_apply(bench: Bench) -> None:
    git(
        bench.project.root,
        *("config", "--global", f"url.{bench.project.remote.parent}/.insteadOf", "work:"),
        env=bench.project.env,
    )
    sha = await a_commit(bench)

    assert await publish(bench.clone.git, "work:remote.git", sha, BRANCH) == Pushed(sha, sha)


@pytest.mark.parametrize("given", ["variable", "setting"])
async def test_ssh_is_the_users_and_asks_nothing(bench: Bench, tmp_path: Path, given: str) -> None:
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/argv\nexit 255\n')
    program.chmod(0o755)
    reach = bench.clone.git.reach
    if given == "variable":
        reach = replace(reach, environment={**reach.environment, "GIT_SSH_COMMAND": f"{program} -i /key"})
    else:
        reach = replace(reach, ssh_command=f"{program} -i /key")

    await publish(replace(bench.clone.git, reach=reach), "git@example.invalid:x.git", bench.base, BRANCH)

    argv = (tmp_path / "argv").read_text().splitlines()
    assert argv[:2] == ["-i", "/key"]
    assert "-oBatchMode=yes" in argv and "git@example.invalid" in argv
