"""`locus service` against a systemctl that notes what it is told."""

import json
from pathlib import Path

import pytest
from tests.support import person as persons
from tests.support.person import Person


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """Somebody on a machine with systemd, who has set up a bot."""
    person = persons.new(tmp_path)
    person.program("systemctl", f'echo "$@" >> {tmp_path}/told; case "$*" in *is-active*) echo active;; esac')
    person.program("journalctl", "echo 2026 began")
    config = person.home / ".config" / "locus"
    config.mkdir(parents=True, mode=0o700)
    (config / "telegram.json").touch(mode=0o600)
    (config / "telegram.json").write_text('{"token": "1:x", "bot": "b"}')
    return person


def told(person: Person) -> list[str]:
    return (person.place / "told").read_text().splitlines()


def test_a_service_is_written_started_shown_and_removed(person: Person) -> None:
    file = person.home / ".config" / "systemd" / "user" / "locus-bot.service"

    installed = person.locus("service", "install", "bot")
    assert installed.code == 0, installed.err
    assert '"telegram" "run"' in file.read_text()
    assert told(person) == [
        "--user daemon-reload",
        "--user enable locus-bot.service",
        "--user restart locus-bot.service",
    ]
    shown = json.loads(person.locus("service", "status", "--json").out)
    assert [(one["name"], one["state"]) for one in shown] == [("locus-bot", "active")]
    assert "2026 began" in person.locus("service", "logs", "bot").out
    assert person.locus("service", "remove", "bot").code == 0
    assert not file.exists()
    assert "--user disable --now locus-bot.service" in told(person)


def test_what_could_not_start_is_not_installed(person: Person) -> None:
    person.repository("shop", remote=False)

    worker = person.locus("service", "install", "worker", cwd=person.home / "shop")
    nowhere = person.locus("service", "install", "worker")
    gone = person.locus("service", "remove", "server")

    assert (worker.code, nowhere.code, gone.code) == (1, 1, 1)
    assert "locus run" in worker.err
    assert "not inside a git repository" in nowhere.err
    assert "There is no service" in gone.err
    assert not (person.place / "told").exists()


def test_printing_changes_nothing(person: Person) -> None:
    said = person.locus("service", "install", "server", "--print")

    assert said.code == 0
    assert '"up"' in said.out
    assert not (person.place / "told").exists()
