"""`locus doctor`: real conditions of a machine and a repository, and what it says of each."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.support import person as persons, wrappers
from tests.support.person import Person

NOWHERE = "http://127.0.0.1:1"  # a port of old, where nothing listens any more


@pytest.fixture
def person(tmp_path: Path) -> Person:
    person = persons.new(tmp_path)
    person.variables["LOCUS_SERVER"] = NOWHERE
    return person


def signed_in_claude(person: Person) -> None:
    person.program("claude", 'case "$1" in --version) echo "2.1.330 (Claude Code)";; auth) exit 0;; *) exit 9;; esac')


def examined(person: Person, cwd: Path) -> dict[str, dict[str, Any]]:
    """The findings by subject; of several the last."""
    said = person.locus("doctor", "--json", cwd=cwd)
    return {finding["subject"]: finding for finding in json.loads(said.out)["findings"]}


def test_every_finding_that_is_not_good_has_a_remedy(person: Person) -> None:
    said = person.locus("doctor", "--json", cwd=person.repository(remote=False))

    told = json.loads(said.out)
    assert said.code == 1
    assert told["failed"] >= 3  # no remote, no claude, no key
    assert [f["subject"] for f in told["findings"] if f["level"] != "ok" and not f["remedy"]] == []


def test_the_check_that_it_proposes_can_be_pasted(person: Person) -> None:
    root = person.repository()
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").touch()

    remedy = examined(person, root)["checks"]["remedy"]

    assert tomllib.loads(remedy[remedy.index("[checks") :]) == {"checks": {"tests": {"run": "pytest -q"}}}


def test_without_a_remote_it_says_how_to_add_one(person: Person) -> None:
    found = examined(person, person.repository(remote=False))

    assert found["repository"]["level"] == "failed"
    assert "git remote add" in found["repository"]["remedy"]
    assert "push" not in found


def test_outside_of_a_repository_the_machine_is_examined_all_the_same(person: Person) -> None:
    found = examined(person, person.home)

    assert found["repository"]["level"] == "failed"
    assert found["git"]["level"] == "ok"


def test_the_right_to_push_is_asked_of_the_remote_and_nothing_is_left_there(person: Person) -> None:
    root = person.repository()
    before = person.git("for-each-ref", cwd=person.bare())

    found = examined(person, root)

    assert found["push"]["level"] == "ok"
    assert person.git("for-each-ref", cwd=person.bare()) == before
    assert person.git("status", "--porcelain", cwd=root) == ""


def test_a_remote_that_is_gone_fails_the_push(person: Person) -> None:
    root = person.repository()
    person.bare().rename(person.place / "moved.git")

    found = examined(person, root)

    assert found["push"]["level"] == "failed"


def test_the_repository_s_hooks_are_not_run(person: Person) -> None:
    root = person.repository()
    hook = root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n: > {person.place}/executed\nexit 1\n")
    hook.chmod(0o755)

    found = examined(person, root)

    assert found["push"]["level"] == "ok"
    assert not (person.place / "executed").exists()


def test_an_agent_that_is_missing_fails(person: Person) -> None:
    found = examined(person, person.repository())

    assert found["agents"]["level"] == "failed"
    assert "claude is not installed" in found["agents"]["says"]


def test_an_agent_that_is_there_and_signed_in_is_good(person: Person) -> None:
    signed_in_claude(person)

    found = examined(person, person.repository())

    assert "2.1.330" in found["agents"]["says"]
    assert found["login"]["level"] == "ok"


def test_an_agent_that_is_not_signed_in_is_a_warning(person: Person) -> None:
    person.program("claude", 'case "$1" in --version) echo "2.1.330 (Claude Code)";; *) exit 1;; esac')

    found = examined(person, person.repository())

    assert found["login"]["level"] == "warning"


def test_only_the_agent_in_use_must_be_there(person: Person) -> None:
    signed_in_claude(person)
    person.variables["LOCUS_PROVIDER"] = "codex"

    found = examined(person, person.repository())

    said = person.locus("doctor", cwd=person.home / "shop")
    assert "codex is not installed" in said.out
    assert "claude is there too" in found["agents"]["says"] or "claude is there too" in said.out


def test_a_server_that_does_not_answer_fails_and_names_the_way_to_start_one(person: Person) -> None:
    person.variables["LOCUS_API_KEY"] = "lcs_" + "0" * 36

    found = examined(person, person.repository())

    assert found["server"]["level"] == "failed"
    assert "locus up" in found["server"]["remedy"]


def test_a_machine_without_a_key_fails(person: Person) -> None:
    found = examined(person, person.repository())

    assert found["key"]["level"] == "failed"
    assert "locus login" in found["key"]["remedy"]


@pytest.mark.parametrize(
    ("run", "level"),
    [("true --all", "ok"), ("CI=1 true", "ok"), ("cd src && make", "ok"), ("no-such-runner -q", "failed")],
)
def test_a_check_whose_program_is_not_there_fails(person: Person, run: str, level: str) -> None:
    root = person.repository()
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").write_text(f'[checks.unit]\nrun = "{run}"\n')

    found = examined(person, root)

    assert found["project"]["level"] == "ok"
    assert found["checks"]["level"] == level


def test_a_wrong_line_in_the_configuration_is_a_finding_with_its_place(person: Person) -> None:
    root = person.repository()
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").write_text('[checks.unit]\nrun = "true"\ntimeuot = 3\n')

    said = person.locus("doctor", cwd=root)

    assert said.code == 1
    assert "config.toml" in said.out
    assert "timeout" in said.out


def test_a_wrong_setting_in_the_repository_does_not_hide_the_other_findings(person: Person) -> None:
    root = person.repository()
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").write_text('[agent]\nprovider = "cluade"\n')

    found = examined(person, root)

    assert found["settings"]["level"] == "failed"
    assert found["git"]["level"] == "ok"
    assert found["push"]["level"] == "ok"


def test_directories_that_others_may_write_to_fail(person: Person) -> None:
    person.state.mkdir(parents=True)
    person.state.chmod(0o777)

    found = examined(person, person.repository())

    assert found["directories"]["level"] == "failed"
    assert found["directories"]["remedy"] == f"chmod go-w {person.state}"


def test_a_sandbox_that_is_switched_off_is_a_warning_in_plain_words(person: Person) -> None:
    found = examined(person, person.repository())

    assert found["sandbox"]["level"] == "warning"
    assert "with your rights" in found["sandbox"]["says"]


def test_bubblewrap_is_tried_not_only_found(person: Person) -> None:
    person.variables["LOCUS_SANDBOX"] = "on"
    person.program("bwrap", 'echo "bwrap: No permissions to create new namespace" >&2; exit 1')

    found = examined(person, person.repository())

    assert found["sandbox"]["level"] == "failed"
    assert "cannot make a sandbox here: No permissions to create new namespace" in found["sandbox"]["says"]
    assert "--no-sandbox" in found["sandbox"]["remedy"]


def test_a_machine_without_bubblewrap_fails_and_names_the_way_to_install_it(person: Person) -> None:
    person.variables["LOCUS_SANDBOX"] = "on"

    found = examined(person, person.repository())

    assert found["sandbox"]["level"] == "failed"
    assert "apt install bubblewrap" in found["sandbox"]["remedy"]


@pytest.mark.parametrize("network", ["open", "provider"])
def test_the_sandbox_is_proved_by_trying_to_get_out(person: Person, network: str) -> None:
    wrappers.put_on_path(person)
    person.variables.update(LOCUS_SANDBOX="on", LOCUS_NETWORK=network)

    found = examined(person, person.repository())

    assert found["sandbox"]["level"] == "ok", found["sandbox"]
    assert "tried" in found["sandbox"]["says"]


def test_a_bubblewrap_that_keeps_nothing_away_is_found_out(person: Person) -> None:
    real = wrappers.require()
    person.variables["LOCUS_SANDBOX"] = "on"
    # The real one, with the whole machine shown on top of what was asked for.
    person.program("bwrap", f'if [ "$1" = --args ]; then shift 3; exec "$@"; fi; exec {real} "$@"')

    found = examined(person, person.repository())

    assert found["sandbox"]["level"] == "failed"
    assert "it can read files of your home" in found["sandbox"]["says"]
    assert "it can write to your home" in found["sandbox"]["says"]
    assert "it sees other processes" in found["sandbox"]["says"]


def test_it_makes_nothing_in_home_or_repository(person: Person) -> None:
    root = person.repository()
    before = {path for path in person.home.rglob("*") if ".git" not in path.parts}

    person.locus("doctor", cwd=root)

    after = {path for path in person.home.rglob("*") if ".git" not in path.parts}
    assert {path for path in after - before if root in path.parents} == set()
    assert {path.name for path in after - before} <= {".local", "state", "locus"}
