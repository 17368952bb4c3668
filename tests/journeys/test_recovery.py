"""A worker that is killed, at the worst moments, and the run after it: nothing is lost, nothing done twice."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.killing import LIMIT, agent, appears, commits, hook, kill, release, run, start, step, task, up
from tests.support import person as persons
from tests.support.person import Person
from tests.support.processes import is_alive


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody with a repository, a running server and an active sprint with one task."""
    tmp_path.chmod(0o711)
    person = persons.new(tmp_path)
    person.repository("shop")
    up(person)
    assert person.locus("sprints", "add", "First", "--start").code == 0
    assert person.locus("tasks", "add", "Write one", "--sprint", "active").code == 0
    yield person
    person.locus("down")


def test_work_of_a_worker_killed_beside_its_agent_is_parked_and_the_task_done_again(person: Person) -> None:
    pids = person.place / "pids"
    agent(person, f"echo half > half.txt; sleep 600 & echo $$ $! > {pids}; : > {person.place}/there; wait")
    worker = start(person)
    appears(person.place / "there")

    kill(worker)
    agent(person, "test ! -e half.txt && echo whole > one.txt")
    said = run(person)

    assert said.code == 0, said.out
    assert "SHOP-1 was left behind by a killed worker" in said.out
    assert "its work is kept: locus parked show SHOP-1/1" in said.out
    assert not any(is_alive(int(pid)) for pid in pids.read_text().split())
    found = task(person)
    assert (found["status"], found["fence"], found["attempts"]) == ("IN_REVIEW", 2, 1)
    assert commits(person) == ["SHOP-1: Write one"]


@pytest.mark.parametrize("moment", ["pre-receive", "post-receive"])
def test_a_push_that_a_killed_worker_began_is_finished_and_reported_once(person: Person, moment: str) -> None:
    agent(person, "echo one > one.txt")
    there = hook(person, moment)
    worker = start(person)
    appears(there)

    kill(worker)
    release(person)
    said = run(person)

    assert said.code == 0, said.out
    assert "SHOP-1 was left behind by a killed worker: it had been pushed, and is in review now." in said.out
    found = task(person)
    assert (found["status"], found["fence"], found["attempts"]) == ("IN_REVIEW", 1, 1)
    assert commits(person) == ["SHOP-1: Write one"]
    assert found["commit"] == person.git("rev-parse", "locus/sprint-1", cwd=person.bare())


def test_a_result_that_the_server_did_not_hear_is_told_by_the_next_run(person: Person) -> None:
    agent(person, "echo one > one.txt")
    there = hook(person, "post-receive")
    worker = start(person)
    appears(there)

    assert person.locus("down").code == 0
    release(person)
    journal = person.state / "journal.sqlite3"
    end = time.monotonic() + LIMIT
    while step(journal) != "over":
        assert time.monotonic() < end, step(journal)
        time.sleep(0.05)
    kill(worker)
    up(person)
    said = run(person)

    assert said.code == 0, said.out
    found = task(person)
    assert (found["status"], found["fence"]) == ("IN_REVIEW", 1)
    assert commits(person) == ["SHOP-1: Write one"]


def files(person: Person) -> dict[str, bytes]:
    """The user's files and what git makes of them, byte for byte; only the times in the index may differ."""
    shop = person.home / "shop"
    found = {str(path.relative_to(shop)): path.read_bytes() for path in sorted(shop.rglob("*")) if path.is_file()}
    found.pop(".git/index")
    found["staged"] = person.git("ls-files", "-s", cwd=shop).encode()
    return found


def test_a_checkout_that_was_lent_to_a_killed_worker_is_as_it_was_and_the_work_is_kept(person: Person) -> None:
    agent(person, f"echo half > half.txt; rm README.md; : > {person.place}/there; sleep 600")
    before = files(person)
    worker = start(person, "--in-place")
    appears(person.place / "there")

    kill(worker)
    assert (person.home / "shop" / "half.txt").exists()
    agent(person, "exit 3")
    said = run(person, "--once")

    assert "its files are as they were before it" in said.out
    assert files(person) == before
    assert "+half" in person.locus("parked", "show", "SHOP-1/1", cwd=person.home / "shop").out


def test_a_checkout_that_was_lent_is_as_it_was_when_the_work_was_pushed_before_the_kill(person: Person) -> None:
    agent(person, "echo one > one.txt")
    before = files(person)
    there = hook(person, "post-receive")
    worker = start(person, "--in-place")
    appears(there)

    kill(worker)
    release(person)
    said = run(person)

    assert said.code == 0, said.out
    assert files(person) == before
    found = task(person)
    assert (found["status"], found["fence"]) == ("IN_REVIEW", 1)
    assert commits(person) == ["SHOP-1: Write one"]
    assert person.locus("parked", "list", "--json", cwd=person.home / "shop").out.strip() == "[]"
