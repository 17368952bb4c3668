"""`locus parked`: work of a failed attempt is found, shown, taken over and dropped."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import person as persons
from tests.support.person import Person


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody whose agent failed after it had written a file."""
    tmp_path.chmod(0o711)
    person = persons.new(tmp_path)
    person.repository("shop")
    assert person.locus("up", "--detach", "--port", "0", cwd=person.home / "shop").code == 0
    assert person.locus("sprints", "add", "First", "--start").code == 0
    assert person.locus("tasks", "add", "Write one", "--sprint", "active").code == 0
    program = person.program("agent", "cat > /dev/null; echo half > half.txt; exit 3")
    person.variables.update(LOCUS_AGENT_COMMAND=str(program), LOCUS_PROVIDER="command")
    assert parked(person, "list").out.strip() == "Nothing is parked for this repository."
    assert person.locus("run", "--yes", "--once", cwd=person.home / "shop").code == 1
    yield person
    person.locus("down")


def parked(person: Person, *arguments: str) -> persons.Said:
    return person.locus("parked", *arguments, cwd=person.home / "shop")


def test_parked_work_is_listed_shown_adopted_and_dropped(person: Person) -> None:
    shop = person.home / "shop"
    listed = json.loads(parked(person, "list", "--json").out)
    assert [(one["name"], one["files"], one["added"]) for one in listed] == [("SHOP-1/1", 1, 1)]
    assert json.loads(parked(person, "--json").out) == listed  # the command alone lists

    assert "+half" in parked(person, "show", "shop-1").out

    adopted = parked(person, "adopt", "SHOP-1/1")
    assert adopted.out.splitlines()[0] == "parked/SHOP-1-1"
    assert person.git("show", "parked/SHOP-1-1:half.txt", cwd=shop) == "half"
    assert person.git("branch", "--show-current", cwd=shop) == "main"
    again = parked(person, "adopt", "SHOP-1/1")
    assert again.code in (0, 1)  # the same branch at the same commit is no harm

    assert parked(person, "drop", "SHOP-1/1", "--yes").code == 0
    assert parked(person, "list", "--json").out.strip() == "[]"


def test_work_of_the_same_name_from_two_workspaces_and_from_an_earlier_version_is_told_apart(person: Person) -> None:
    [listed] = json.loads(parked(person, "list", "--json").out)
    [git_dir] = (person.state / "repositories").glob("*/1/git")
    other = "0f0e0d0c-7d1f-4613-8383-24e1203ba666"
    for ref in (f"{other}/SHOP-1/1", "SHOP-1/1"):
        person.git(f"--git-dir={git_dir}", "update-ref", f"refs/locus/parked/{ref}", listed["commit"], cwd=person.home)

    names = {one["name"] for one in json.loads(parked(person, "list", "--json").out)}
    unclear = parked(person, "show", "SHOP-1/1")
    dropped = parked(person, "drop", "shop-1/1@0F0E0D0C", "--yes")

    assert names == {f"SHOP-1/1@{listed['workspace'][:8]}", "SHOP-1/1@0f0e0d0c", "SHOP-1/1@earlier"}
    assert unclear.code == 2
    assert "SHOP-1/1@0f0e0d0c" in unclear.err
    assert dropped.code == 0
    refs = person.git(f"--git-dir={git_dir}", "for-each-ref", "--format=%(refname)", "refs/locus", cwd=person.home)
    assert other not in refs and "SHOP-1/1" in refs


def test_work_that_is_not_there_is_said_with_the_way_to_see_what_is(person: Person) -> None:
    said = parked(person, "show", "SHOP-9/9")

    assert said.code == 1
    assert "locus parked list" in said.err


def test_nothing_is_dropped_without_a_yes(person: Person) -> None:
    said = parked(person, "drop", "SHOP-1")

    assert said.code != 0
    assert "SHOP-1/1" in parked(person, "list").out
