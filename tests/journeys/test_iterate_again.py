"""`locus iterate` while the world does not stand still: killed, begun twice, and what was said settled meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.test_from_nothing_to_a_pull_request import BRANCH, Machine, command, machine
from tests.journeys.test_iterate import in_review
from tests.support.github import GitHubServer, Reply, running

ITERATE = ("iterate", "1", "--yes", "--provider", "command")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with running(tmp_path / "github") as github:
        yield github


def begun(here: Machine, *arguments: str) -> "subprocess.Popen[str]":
    """A `locus iterate` whose agent is at work."""
    started = subprocess.Popen(
        [sys.executable, "-m", "locus", *ITERATE, *arguments],
        cwd=here.root,
        env=dict(here.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stderr is not None
    for line in started.stderr:
        if "with command" in line:
            return started
    raise AssertionError(f"it ended: {started.wait()}")


def refused(here: Machine) -> str:
    """What a `locus iterate` that fails says about it."""
    done = subprocess.run(
        [sys.executable, "-m", "locus", *ITERATE],
        cwd=here.root,
        env=dict(here.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done
    return done.stderr


def says(program: Path, work: str) -> None:
    """What the agent does, and what it answers."""
    answer = json.dumps({"answers": [{"id": "T1", "answer": "Louder now."}]})
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{work}\necho '{answer}'\n")


def test_what_was_pushed_before_it_was_killed_is_answered_later_without_the_agent(
    tmp_path: Path, github: GitHubServer
) -> None:
    with command(tmp_path) as (agent, _), machine(tmp_path, agent, github) as here:
        in_review(here, "command")
        bare, program = github.repositories / "acme" / "shop.git", tmp_path / "agent.sh"
        thread = github.reviewing.thread(1, "one.txt", 1, "Say it louder.")
        github.refuse("/replies", Reply(hang=True))
        says(program, "echo right, loud > one.txt")
        first = here.git("rev-parse", BRANCH, cwd=bare)

        killed = begun(here)
        deadline = time.monotonic() + 60
        while not any(one.path.endswith("/replies") for one in github.requests):
            assert time.monotonic() < deadline, "nothing is answered"
            time.sleep(0.05)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        pushed = here.git("rev-parse", BRANCH, cwd=bare)
        assert pushed != first

        # The forge has trouble, too; nobody asks the agent again because of it.
        says(program, "exit 9")
        github.refuse("/replies", Reply(503))
        failed = refused(here)
        assert f"{pushed[:10]} is pushed" in failed and "locus iterate 1" in failed
        github.refusals.clear()
        github.fail_next("GET", Reply(502))
        (one,) = json.loads(here.locus(*ITERATE, "--watch", "--rounds", "1", "--json"))["rounds"]

        assert (one["commit"], one["answered"]) == (pushed, 1)
        assert len(thread.comments) == 2 and "Louder now." in thread.comments[1][3]
        assert here.git("rev-parse", BRANCH, cwd=bare) == pushed
        assert "Nothing waits" in here.locus(*ITERATE)

        # Who ends a watch is told what it has done until then.
        more = github.reviewing.thread(1, "one.txt", 1, "And again.")
        says(program, "echo right, loud, again > one.txt")
        watching = begun(here, "--watch", "--json")
        deadline = time.monotonic() + 60
        while len(more.comments) < 2:
            assert time.monotonic() < deadline, "nothing is answered"
            time.sleep(0.05)
        watching.send_signal(signal.SIGINT)
        said, _ = watching.communicate()
        assert watching.returncode == 130 and [one["answered"] for one in json.loads(said)["rounds"]] == [1]


def test_what_is_settled_meanwhile_is_not_pushed_and_nobody_works_twice(tmp_path: Path, github: GitHubServer) -> None:
    with command(tmp_path) as (agent, _), machine(tmp_path, agent, github) as here:
        in_review(here, "command")
        bare, program = github.repositories / "acme" / "shop.git", tmp_path / "agent.sh"
        first = here.git("rev-parse", BRANCH, cwd=bare)
        thread = github.reviewing.thread(1, "one.txt", 1, "Say it louder.")
        says(program, "sleep 6; echo right, loud > one.txt")

        working = begun(here)
        assert "Another `locus iterate` is at work on pull request 1" in refused(here)
        thread.resolved = True
        said, _ = working.communicate()
        assert "resolved or answered by now" in said and "locus parked list" in said and working.returncode == 1

        thread.resolved = False
        working = begun(here)
        github.pulls[0]["state"] = "closed"
        said, _ = working.communicate()
        assert "was closed or merged meanwhile" in said and working.returncode == 1
        github.pulls[0]["state"] = "open"

        # Somebody says more while the agent works: what it did is pushed, and the thread is still open.
        working = begun(here)
        thread.comments.append((github.reviewing.number(), "bea", "MEMBER", "Or softer."))
        said, _ = working.communicate()
        assert working.returncode == 0 and "pushed" in said and len(thread.comments) == 2
        assert here.git("rev-parse", f"{BRANCH}^", cwd=bare) == first
        says(program, "echo right, soft > one.txt")
        here.locus(*ITERATE)
        assert len(thread.comments) == 3 and here.git("show", f"{BRANCH}:one.txt", cwd=bare) == "right, soft"
