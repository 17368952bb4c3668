"""`locus config`: what is in force, where it comes from, and how it is changed."""

import json
from pathlib import Path

import pytest
from tests.support import person as persons
from tests.support.person import Person

from locus.local.settings import TABLE


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return persons.new(tmp_path)


def test_the_list_shows_every_setting_with_its_origin(person: Person) -> None:
    person.variables["LOCUS_MODEL"] = "opus"
    person.locus("config", "set", "max_tasks", "3")

    told = {entry["name"]: entry for entry in json.loads(person.locus("config", "list", "--json").out)}
    said = person.locus("config").out

    assert list(told) == [setting.name for setting in TABLE]
    assert (told["model"]["value"], told["model"]["origin"]) == ("opus", "environment")
    assert (told["max_tasks"]["value"], told["max_tasks"]["origin"]) == (3, "user")
    assert told["consent"]["variable"] is None
    assert "LOCUS_MODEL" in said
    assert all(setting.name in said for setting in TABLE)


def test_a_value_is_set_read_and_removed(person: Person) -> None:
    assert person.locus("config", "get", "provider").out == "claude\n"
    assert person.locus("config", "set", "provider", "codex").code == 0
    assert person.locus("config", "get", "provider").out == "codex\n"
    assert person.locus("config", "unset", "provider").code == 0
    assert person.locus("config", "get", "provider").out == "claude\n"


def test_a_value_that_is_not_set_is_said_with_nothing(person: Person) -> None:
    assert person.locus("config", "get", "model").out == ""
    assert json.loads(person.locus("config", "get", "model", "--json").out)["value"] is None


def test_a_command_goes_in_and_comes_out_in_the_quoting_of_a_shell(person: Person) -> None:
    person.locus("config", "set", "agent-command", "agent --say 'two words'")

    assert person.locus("config", "get", "agent_command").out == "agent --say 'two words'\n"


def test_a_value_for_the_project_goes_into_its_file(person: Person) -> None:
    root = person.repository()
    person.locus("init", cwd=root)

    said = person.locus("config", "set", "--project", "base", "trunk", cwd=root)

    assert "shop/.locus/config.toml" in said.out
    assert person.locus("config", "get", "base", cwd=root).out == "trunk\n"
    assert person.locus("config", "get", "base").out == ""


def test_setting_what_something_else_outranks_says_so(person: Person) -> None:
    person.variables["LOCUS_PROVIDER"] = "claude"

    said = person.locus("config", "set", "provider", "codex")

    assert "In force is claude, from LOCUS_PROVIDER." in said.out


def test_what_a_repository_may_not_set_is_refused(person: Person) -> None:
    root = person.repository()

    said = person.locus("config", "set", "--project", "consent", "true", cwd=root)

    assert said.code == 2
    assert "only you can agree" in said.err
    assert not (root / ".locus").exists()


def test_a_repository_that_tries_it_anyway_stops_every_command(person: Person) -> None:
    root = person.repository()
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").write_text('server = "https://evil.example"\n')
    person.variables["LOCUS_API_KEY"] = "lcs_secret"

    said = person.locus("tasks", cwd=root)

    assert said.code == 1
    assert "config.toml:1: `server` cannot be set by a repository" in said.err


def test_quiet_says_only_what_was_asked_for(person: Person) -> None:
    assert person.locus("config", "set", "provider", "codex", "-q").out == ""
    assert person.locus("config", "get", "provider", "-q").out == "codex\n"
