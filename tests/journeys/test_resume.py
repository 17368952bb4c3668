"""A machine is gone for good; another one takes over what it had begun, and does nothing a second time."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.killing import agent, appears, commits, free_port, hook, kill, release, start
from tests.support import person as persons
from tests.support.person import Person, Said

LEASE = "10000"  # milliseconds, in place of three minutes


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Person]:
    """Somebody on the machine that will be gone; leases are short, so that nobody has to wait for minutes."""
    tmp_path.chmod(0o711)
    (tmp_path / "first").mkdir()
    first = persons.new(
        tmp_path / "first",
        LOCUS_SERVER=f"http://127.0.0.1:{free_port()}",
        LOCUS_SERVER_LEASE_MS=LEASE,
        LOCUS_SERVER_HEARTBEAT_MS="1000",
        LOCUS_SERVER_REAP_MS="300",
    )
    first.repository("shop")
    port = first.variables["LOCUS_SERVER"].rsplit(":", 1)[1]
    assert first.locus("up", "--detach", "--port", port, cwd=first.home / "shop").code == 0
    assert first.locus("sprints", "add", "First", "--start").code == 0
    yield first
    first.locus("down")


@pytest.fixture
def second(first: Person, tmp_path: Path) -> Person:
    """The same person on another machine: another home, a clone of the same remote, the same key."""
    (tmp_path / "second").mkdir()
    second = persons.new(tmp_path / "second", LOCUS_SERVER=first.variables["LOCUS_SERVER"])
    (second.home / ".config" / "locus").mkdir(parents=True)
    shutil.copy(first.home / ".config/locus/credentials.json", second.home / ".config/locus/credentials.json")
    second.git("clone", "--quiet", str(first.bare()), "shop", cwd=second.home)
    return second


def resumed(second: Person) -> Said:
    agent(second, 'echo "after $(cat one.txt)" > second.txt')
    return second.locus("run", "--resume", "--yes", cwd=second.home / "shop", timeout=150)


def task(person: Person, key: str) -> dict[str, object]:
    told = json.loads(person.locus("tasks", "show", key, "--json").out)
    found = told.get("task") or told
    assert isinstance(found, dict)
    return found


def test_what_was_pushed_and_never_reported_is_reported_by_another_machine_without_a_second_commit(
    first: Person, second: Person
) -> None:
    assert first.locus("tasks", "add", "Write one", "--sprint", "active").code == 0
    agent(first, "echo one > one.txt")
    there = hook(first, "post-receive")
    worker = start(first)
    appears(there)

    kill(worker)
    release(first)
    said = resumed(second)

    assert said.code == 0, said.out + said.err
    assert "SHOP-1 was pushed by attempt 1" in said.out
    assert commits(first) == ["SHOP-1: Write one"]
    found = task(first, "SHOP-1")
    assert (found["status"], found["fence"]) == ("IN_REVIEW", 2)
    assert found["commit"] == first.git("rev-parse", "locus/sprint-1", cwd=first.bare())


def test_another_machine_goes_on_from_the_branch_and_waits_for_the_lease_of_the_one_that_is_gone(
    first: Person, second: Person
) -> None:
    for title in ("Write one", "Write two"):
        assert first.locus("tasks", "add", title, "--sprint", "active").code == 0
    agent(
        first,
        f"if test -e one.txt; then : > {first.place}/there; sleep 600; fi; echo one > one.txt",
    )
    worker = start(first)
    appears(first.place / "there")

    kill(worker)
    said = resumed(second)

    assert said.code == 0, said.out + said.err
    assert "locus/sprint-1 has work on SHOP-1 already" in said.out
    assert commits(first) == ["SHOP-2: Write two", "SHOP-1: Write one"]
    assert first.git("show", "locus/sprint-1:second.txt", cwd=first.bare()) == "after one"
    assert (task(first, "SHOP-2")["status"], task(first, "SHOP-2")["attempts"]) == ("IN_REVIEW", 2)
