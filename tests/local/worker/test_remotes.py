"""Remotes that do not take a push, in whole runs: a typed reason, nothing in review, no question, no secret.

The `ssh` is a small program on the worker's PATH. It lets the repository be read; the test says what becomes of a push.
Over HTTP it is git's own server behind one that refuses.
"""

import os
import stat
import sys
import time
from collections.abc import AsyncIterator

import pytest
from tests.support.github import GitHubServer, running
from tests.support.workshop import Ran, Workshop, one_of

from locus.local.worker import told
from locus.local.worker.outcome import Failed
from locus.wire.tasks import Status
from locus.wire.work import FailReason

SECRET = "hunter2-hunter2"  # in what the remote says
SSH = """#!{python}
import os, pathlib, subprocess, sys, time
place = pathlib.Path({place!r})
command = sys.argv[-1]
options = {{word for word in sys.argv if word.startswith('-oBatchMode')}}
place.joinpath('asked').write_text(repr(sorted(options)))
if 'receive-pack' not in command:
    sys.exit(subprocess.call(['git', 'upload-pack', {bare!r}]))
what = place.joinpath('what').read_text()
{remote}
"""
REMOTE = """
def ends(said, code):
    sys.stderr.write(said + '\\n')
    sys.exit(code)

url = 'https://ada:SECRET@forge.example/acme/shop.git'
match what:
    case 'takes it':
        sys.exit(subprocess.call(['git', 'receive-pack', BARE]))
    case 'key changed':
        ends('@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\\nHost key verification failed.', 255)
    case 'not let in':
        ends('git@forge.example: Permission denied (publickey).', 255)
    case 'may only read':
        ends(f'ERROR: Write access to repository not granted. See {url}', 128)
    case 'repository gone':
        ends('ERROR: Repository not found.', 128)
    case 'hangs up at once':
        os.close(1); os.close(0); sys.exit(255)
    case 'hangs up half way':
        # It speaks first, as a remote does, and goes without waiting for what it is sent.
        sys.stdout.buffer.write(subprocess.check_output(['git', 'receive-pack', '--advertise-refs', BARE])); sys.exit(0)
    case 'closes its ear':
        # What it says can be read to its end, and nothing can be said to it.
        os.close(0)
        sys.stdout.buffer.write(subprocess.check_output(['git', 'receive-pack', '--advertise-refs', BARE])); sys.exit(0)
    case 'quota of LFS':
        ends(f'remote: batch response: This repository is over its data quota. {url}', 1)
    case 'quota of its disk':
        ends('remote: fatal: write error: Disk quota exceeded', 128)
    case 'says nothing':
        time.sleep(600)
    case 'talks without end':
        for _ in range(200_000):
            sys.stderr.write('remote: ' + 'x' * 60 + '\\n')
        ends('remote: error: hook declined to update refs/heads/main', 1)
"""
# `make faults` sets it: a push that nobody answers is given up after 100 s.
LONG = pytest.mark.skipif(os.environ.get("LOCUS_FAULTS") != "long", reason="a part of make faults")
REFUSED, UNREACHABLE = FailReason.PUSH_REFUSED, FailReason.REMOTE_UNREACHABLE


@pytest.fixture
async def over_ssh(shop: Workshop) -> Workshop:
    """The same repository, of which the worker only knows an address of ssh."""
    programs = shop.place / "programs"
    programs.mkdir()
    ssh = programs / "ssh"
    remote = REMOTE.replace("SECRET", SECRET).replace("BARE", repr(str(shop.remote)))
    ssh.write_text(SSH.format(python=sys.executable, place=str(programs), bare=str(shop.remote), remote=remote))
    ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)
    shop.environment["PATH"] = f"{programs}:{shop.environment['PATH']}"
    shop.git("remote", "set-url", "origin", "ssh://git@forge.example/acme/shop.git")
    await shop.look_again()
    return shop


async def refused(shop: Workshop, what: str) -> tuple[Ran, Failed]:
    (shop.place / "programs" / "what").write_text(what)
    ran = await shop.run(shop.agent("pathlib.Path('one.txt').write_text('one')"), pull_request=False, max_tasks=1)
    return ran, one_of([one.outcome for one in ran.of(told.TaskEnded) if isinstance(one.outcome, Failed)][:1])


@pytest.mark.parametrize(
    ("what", "reason", "said"),
    [
        ("key changed", REFUSED, "HOST IDENTIFICATION HAS CHANGED"),
        ("not let in", REFUSED, "Permission denied"),
        ("may only read", REFUSED, "Write access to repository not granted"),
        ("repository gone", UNREACHABLE, "Repository not found"),
        ("hangs up at once", UNREACHABLE, ""),
        ("hangs up half way", UNREACHABLE, ""),
        ("closes its ear", UNREACHABLE, ""),
        ("quota of LFS", REFUSED, "over its data quota"),
        ("quota of its disk", FailReason.DISK_FULL, "Disk quota exceeded"),
        ("talks without end", REFUSED, "hook declined"),
        pytest.param("says nothing", UNREACHABLE, "did not end within", marks=LONG),
    ],
)
async def test_a_remote_that_does_not_take_the_push(
    over_ssh: Workshop, what: str, reason: FailReason, said: str
) -> None:
    task = await over_ssh.task("Write one")
    began = time.monotonic()

    ran, failed = await refused(over_ssh, what)

    assert time.monotonic() - began < 140
    assert failed.reason is reason, failed.detail
    assert said in failed.detail
    assert SECRET not in repr(ran.said)
    assert len(failed.detail) < 5_000
    assert failed.parked is not None, "the work is kept"
    assert "BatchMode=yes" in (over_ssh.place / "programs" / "asked").read_text(), "nobody is asked anything"
    now = await over_ssh.now(task)
    assert (now.status is not Status.IN_REVIEW, now.commit) == (True, None)
    assert not ran.result.succeeded
    assert "locus/sprint-1" not in over_ssh.git("for-each-ref", cwd=over_ssh.remote)


async def test_work_that_was_not_taken_is_there_when_the_remote_takes_it_again(over_ssh: Workshop) -> None:
    task = await over_ssh.task("Write one")
    await refused(over_ssh, "hangs up at once")
    (over_ssh.place / "programs" / "what").write_text("takes it")
    ran = await over_ssh.run(over_ssh.agent("pathlib.Path('one.txt').write_text('one')"), pull_request=False)

    assert ran.result.succeeded
    assert (await over_ssh.now(task)).status is Status.IN_REVIEW
    assert over_ssh.on_remote() == ["WEB-1: Write one"]


@pytest.fixture
async def over_http(shop: Workshop) -> AsyncIterator[tuple[Workshop, GitHubServer]]:
    """The same repository over HTTP, with a password that a credential helper of the user knows."""
    bare = shop.place / "served" / "acme" / "shop.git"
    bare.parent.mkdir(parents=True)
    shop.remote.rename(bare)
    shop.remote.symlink_to(bare)
    shop.git("config", "http.receivepack", "true", cwd=bare)
    shop.git("config", "credential.helper", f"!f() {{ echo username=ada; echo password={SECRET}; }}; f")
    with running(shop.place / "served") as server:
        server.password = SECRET
        shop.git("remote", "set-url", "origin", f"{server.url}/acme/shop.git")
        await shop.look_again()
        yield shop, server


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (401, REFUSED, "Authentication failed"),  # a password that ran out, a second factor that is missing
        (403, REFUSED, "403"),
        (404, UNREACHABLE, "not found"),
        (500, UNREACHABLE, "500"),
        (503, UNREACHABLE, "503"),
        pytest.param(0, UNREACHABLE, "Operation too slow", marks=LONG),  # nobody answers
    ],
)
async def test_a_host_that_does_not_take_the_push(
    over_http: tuple[Workshop, GitHubServer], status: int, reason: FailReason, said: str
) -> None:
    shop, server = over_http
    task = await shop.task("Write one")
    server.refuses_pushes = status
    began = time.monotonic()

    ran = await shop.run(shop.agent("pathlib.Path('one.txt').write_text('one')"), pull_request=False, max_tasks=1)
    [failed] = [one.outcome for one in ran.of(told.TaskEnded) if isinstance(one.outcome, Failed)]

    assert time.monotonic() - began < 140
    assert failed.reason is reason, failed.detail
    assert said in failed.detail, failed.detail
    assert SECRET not in repr(ran.said)
    assert failed.parked is not None, "the work is kept"
    now = await shop.now(task)
    assert (now.status is not Status.IN_REVIEW, now.commit) == (True, None)
    assert "locus/sprint-1" not in shop.git("for-each-ref", cwd=shop.remote)

    server.refuses_pushes = None
    again = await shop.run(shop.agent("pathlib.Path('one.txt').write_text('one')"), pull_request=False)
    assert (await shop.now(task)).status is (Status.IN_REVIEW if reason is UNREACHABLE else Status.BLOCKED), again.said
