"""`locus run` and its sandbox: on by itself, off only by the user, and never off without a word."""

import json
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from tests.support import person as persons, wrappers
from tests.support.person import Person, Said


@pytest.fixture
def alone(tmp_path: Path) -> Person:
    """Somebody with a repository, and an agent that copies a secret into the tree if it can."""
    person = persons.new(tmp_path, LOCUS_SANDBOX="on", LOCUS_PROVIDER="command")
    person.repository("shop")
    (person.home / ".netrc").write_text("secret")
    script = "cat > /dev/null; cat ~/.netrc > seen.txt 2> /dev/null; date > one.txt"
    person.variables["LOCUS_AGENT_COMMAND"] = str(person.program("agent", script))
    (person.bin / "date").symlink_to("/bin/date")
    return person


@pytest.fixture
def person(alone: Person) -> Iterator[Person]:
    """The same person with a server and a task."""
    alone.place.chmod(0o711)  # PostgreSQL runs as another account when the tests are root
    assert alone.locus("up", "--detach", "--port", "0", cwd=alone.home / "shop").code == 0
    assert alone.locus("sprints", "add", "First", "--start").code == 0
    assert alone.locus("tasks", "add", "Write one", "--sprint", "active").code == 0
    yield alone
    alone.locus("down")


def run(person: Person, *arguments: str) -> Said:
    return person.locus("run", *arguments, cwd=person.home / "shop")


def status(person: Person) -> str:
    told = json.loads(person.locus("tasks", "show", "SHOP-1", "--json").out)
    return str((told.get("task") or told)["status"])


def seen(person: Person) -> str:
    return person.git("show", "locus/sprint-1:seen.txt", cwd=person.bare())


def answered(person: Person, *arguments: str, answer: str) -> str:
    """What a run says at a terminal that asks for consent, until its end."""
    child = person.at_terminal("run", *arguments, cwd=person.home / "shop")
    child.expect(r"\[y/N\]")
    said = str(child.before)
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return " ".join(said.split())


def test_an_agent_sees_nothing_of_the_home_and_the_run_says_that_it_is_in_the_sandbox(person: Person) -> None:
    wrappers.put_on_path(person)

    said = run(person, "--yes")

    assert said.code == 0, said
    assert "in the sandbox" in said.out
    assert (status(person), seen(person)) == ("IN_REVIEW", "")


def test_without_the_sandbox_it_does_and_the_run_says_so(person: Person) -> None:
    said = run(person, "--yes", "--no-sandbox")

    assert said.code == 0, said
    assert "without the sandbox" in said.out
    assert (status(person), seen(person)) == ("IN_REVIEW", "secret")


def test_where_there_is_no_sandbox_nothing_is_started_and_the_way_to_one_is_told(alone: Person) -> None:
    said = run(alone, "--yes")

    assert said.code == 1
    assert "bubblewrap is not installed" in said.err
    assert "apt install bubblewrap" in said.err
    assert "--no-sandbox" in said.err
    assert not (alone.state / "attempts").exists()


def test_a_bubblewrap_that_does_not_work_here_is_no_reason_to_do_without(alone: Person) -> None:
    alone.program("bwrap", "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")

    said = run(alone, "--yes")

    assert said.code == 1
    assert "Permission denied" in said.err
    assert not (alone.state / "attempts").exists()


@pytest.mark.parametrize(
    "line", ['sandbox = "off"', '[agent]\nsandbox = "off"', 'sandbox_read = ["/"]', 'network = "open"']
)
def test_a_repository_cannot_touch_the_walls(alone: Person, line: str) -> None:
    wrappers.put_on_path(alone)
    (alone.home / "shop" / ".locus").mkdir()
    (alone.home / "shop" / ".locus" / "config.toml").write_text(f"{line}\n")

    said = run(alone, "--yes")

    assert said.code == 1
    assert "cannot be set by a repository" in said.err
    assert not (alone.state / "attempts").exists()


@pytest.mark.parametrize(
    ("network", "reach"), [("open", "whatever your network reaches"), ("provider", "the service of its model")]
)
def test_consent_names_what_an_agent_in_the_sandbox_can_reach(alone: Person, network: str, reach: str) -> None:
    wrappers.put_on_path(alone)

    said = answered(alone, "--network", network, answer="n")

    assert "in a sandbox" in said and reach in said
    assert "with your rights" not in said
    assert not (alone.state / "attempts").exists()


def test_who_agreed_to_the_sandbox_is_asked_again_before_doing_without(person: Person) -> None:
    wrappers.put_on_path(person)
    answered(person, answer="y")
    assert person.locus("tasks", "add", "Write more", "--sprint", "active").code == 0

    without = run(person, "--no-sandbox")
    again = run(person)

    assert without.code == 1
    assert "with your rights" in without.err
    assert again.code == 0, again


def test_the_demo_is_shown_where_there_is_no_sandbox_and_says_so(alone: Person) -> None:
    alone.place.chmod(0o711)

    said = alone.locus("demo", timeout=170)

    assert said.code == 0, said
    assert "Without the sandbox, so the agent works with your rights." in said.out
    assert "5 tasks in review" in said.out
