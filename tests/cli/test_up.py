"""`locus up` and `locus down`, with the real server program and a PostgreSQL of its own, in a home of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pexpect
import psutil
import pytest
from tests.support import person as persons
from tests.support.person import Person
from tests.support.processes import is_alive, until

from locus.local import hosting


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody whose server is stopped at the end, whatever the test did."""
    person = persons.new(tmp_path)
    yield person
    person.locus("down")
    for process in belonging(person):
        process.kill()


def belonging(person: Person) -> list[psutil.Process]:
    """Every living process that was started with something of the person's home: servers and databases."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join(process.cmdline()) + process.environ().get("HOME", "") + process.cwd()
            if str(person.home) in told and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def up(person: Person, *arguments: str, cwd: Path | None = None) -> dict[str, Any]:
    """Start a server that stays, and return what `--json` says of it."""
    said = person.locus("up", "--detach", "--json", *arguments, cwd=cwd)
    assert said.code == 0, said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def finding(person: Person, subject: str) -> dict[str, Any]:
    """What the doctor says of the control plane, as a later command sees it."""
    told = json.loads(person.locus("doctor", "--json").out)["findings"]
    return next((finding for finding in told if finding["subject"] == subject), {"level": "not examined"})


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_a_detached_server_answers_later_commands_until_down(person: Person) -> None:
    told = up(person, "--port", "0", cwd=person.repository("shop"))

    assert told["started"]
    assert told["workspace"] == "shop"  # after the folder of the repository
    assert finding(person, "server")["says"].startswith(told["url"])
    assert finding(person, "key")["level"] == "ok"
    assert mode(person.home / ".config" / "locus" / "credentials.json") == 0o600
    assert mode(person.state / hosting.FILE) == 0o600
    assert mode(Path(told["log"])) == 0o600

    said = person.locus("down")

    assert said.code == 0
    assert told["url"] in said.out
    await until(lambda: not belonging(person))
    again = person.locus("down")
    assert again.code == 0
    assert "Nothing to stop" in again.out


async def test_ctrl_c_in_the_foreground_stops_server_and_database(person: Person) -> None:
    terminal = person.at_terminal("up", "--port", "0")
    terminal.expect("Ctrl\\+C stops it")
    record = hosting.read(person.state)
    assert record is not None
    assert is_alive(record.pid)
    # What the terminal sends reaches `up` alone, so the server ends once, and in an orderly way.
    assert os.getsid(record.pid) != os.getsid(terminal.pid)

    terminal.sendintr()
    terminal.expect("Your data stays in")
    terminal.wait()

    assert terminal.exitstatus == 0
    assert not is_alive(record.pid)
    assert hosting.read(person.state) is None
    await until(lambda: not belonging(person))


async def test_down_from_another_terminal_ends_the_one_in_the_foreground(person: Person) -> None:
    terminal = person.at_terminal("up", "--port", "0")
    terminal.expect("Ctrl\\+C stops it")

    assert person.locus("down").code == 0
    terminal.expect("Stopped")
    terminal.wait()

    assert terminal.exitstatus == 0
    await until(lambda: not belonging(person))


def test_a_second_up_says_that_it_runs_and_starts_nothing(person: Person) -> None:
    first = up(person, "--port", "0")

    second = up(person)

    assert second["pid"] == first["pid"]
    assert not second["started"]
    another = person.locus("up", "--detach", "--port", str(free_port()))
    assert another.code == 1
    assert "locus down" in another.err


def test_the_link_can_be_taken_up_whole_in_a_narrow_terminal(person: Person) -> None:
    terminal = person.at_terminal("up", "--port", "0", "--detach", columns=60)
    terminal.expect(pexpect.EOF)

    assert re.search(r"^  http://127\.0\.0\.1:\d+/sign-in/once/\S{43}\r$", str(terminal.before), re.MULTILINE)


def test_each_up_prints_a_link_that_signs_a_browser_in(person: Person) -> None:
    first, second = up(person, "--port", "0"), up(person)
    with httpx.Client() as browser:
        pages = [browser.get(told["sign_in"]).status_code for told in (first, second)]
        entered = browser.post(second["sign_in"]).status_code
        again = browser.post(second["sign_in"]).status_code
        me = browser.get(f"{first['url']}/api/v1/me").json()

    assert first["sign_in"] != second["sign_in"]
    assert first["sign_in"].startswith(first["url"])
    assert (pages, entered, again) == ([200, 200], 303, 410)
    assert me["role"] == "OWNER"


def test_two_ups_at_once_start_one_server(person: Person) -> None:
    port = str(free_port())

    with ThreadPoolExecutor(2) as both:
        one, other = both.map(lambda _: up(person, "--port", port), range(2))

    assert one["pid"] == other["pid"]
    assert {one["started"], other["started"]} == {True, False}


def test_a_port_that_is_taken_is_told_with_a_way_out(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        said = person.locus("up", "--detach", "--port", str(port))

    assert said.code == 1
    assert f"Port {port}" in said.err
    assert "--port" in said.err.split("\n", 1)[1]
    assert not belonging(person)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(person: Person) -> None:
    (person.home / "data").write_text("a file, not a directory\n")

    said = person.locus("up", "--detach", "--port", "0", "--data", "data/db")

    assert said.code == 1
    assert "did not start" in said.err
    assert str(person.home / "data") in said.err  # in the words of the log
    assert "server.log" in said.err
    assert not belonging(person)
    assert hosting.read(person.state) is None


async def test_when_up_is_killed_its_server_ends_too(person: Person) -> None:
    terminal = person.at_terminal("up", "--port", "0")
    terminal.expect("Ctrl\\+C stops it")

    terminal.kill(signal.SIGKILL)

    await until(lambda: not belonging(person), limit=30)


async def test_the_next_up_takes_over_from_one_that_was_killed(person: Person) -> None:
    terminal = person.at_terminal("up", "--port", "0")
    terminal.expect("Ctrl\\+C stops it")
    left = hosting.read(person.state)
    assert left is not None
    # Stopped, it cannot notice that its parent has gone: it is still there when the next one comes.
    os.kill(left.pid, signal.SIGSTOP)
    terminal.kill(signal.SIGKILL)
    await until(lambda: not hosting.owner_is_alive(left))
    os.kill(left.pid, signal.SIGCONT)

    told = up(person, "--port", "0")

    assert told["started"]
    assert told["pid"] != left.pid
    assert not is_alive(left.pid)
    assert finding(person, "key")["level"] == "ok"


async def test_after_a_kill_of_everything_the_next_up_finds_its_data_and_its_key(person: Person) -> None:
    port = str(free_port())
    first = up(person, "--port", port, "--workspace", "Shop")
    key = (person.home / ".config" / "locus" / "credentials.json").read_text()
    for process in belonging(person):
        process.kill()
    await until(lambda: not belonging(person))

    second = up(person, "--port", port, "--workspace", "Another name")

    assert second["started"]
    assert second["pid"] != first["pid"]
    assert second["workspace"] == "Shop"
    assert (person.home / ".config" / "locus" / "credentials.json").read_text() == key


def test_an_owner_who_lost_the_key_gets_a_fresh_one(person: Person) -> None:
    port = str(free_port())
    up(person, "--port", port, "--workspace", "Shop")
    person.locus("down")
    (person.home / ".config" / "locus" / "credentials.json").unlink()

    told = up(person, "--port", port)

    assert told["workspace"] == "Shop"
    assert finding(person, "key")["level"] == "ok"


def test_a_key_of_another_database_at_the_same_address_is_replaced(person: Person) -> None:
    port = str(free_port())
    up(person, "--port", port, "--data", "one", "--workspace", "One")
    person.locus("down")
    up(person, "--port", port, "--data", "two", "--workspace", "Two")
    person.locus("down")

    told = up(person, "--port", port, "--data", "one")

    assert told["workspace"] == "One"
    assert finding(person, "key")["level"] == "ok"
    assert finding(person, "workspace")["says"].startswith("One ")


def test_a_server_elsewhere_that_somebody_chose_is_not_taken_away(person: Person) -> None:
    chosen = 'server = "https://plane.example.org"\n'
    (person.home / ".config" / "locus").mkdir(parents=True)
    (person.home / ".config" / "locus" / "settings.toml").write_text(chosen)

    said = person.locus("up", "--detach", "--port", "0")

    assert said.code == 0
    assert "https://plane.example.org" in said.out
    assert "locus config set server" in said.out
    assert (person.home / ".config" / "locus" / "settings.toml").read_text() == chosen


def test_the_server_program_does_not_see_our_key(person: Person) -> None:
    person.variables["LOCUS_API_KEY"] = "lcs_secret_of_somewhere_else"

    said = person.locus("up", "--detach", "--port", "0", "--json")

    record = hosting.read(person.state)
    assert said.code == 0, said.err
    assert record is not None
    assert "lcs_secret_of_somewhere_else" not in psutil.Process(record.pid).environ().values()


def test_without_the_server_s_packages_it_says_how_to_get_them(person: Person, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for path in Path(sys.modules["click"].__path__[0]).parent.iterdir():
        if path.name.split("-")[0] not in hosting.SERVER_PACKAGES:
            (packages / path.name).symlink_to(path)
    locus = find_spec("locus")
    assert locus is not None
    assert locus.submodule_search_locations is not None
    sources = Path(locus.submodule_search_locations[0]).parent

    done = subprocess.run(
        [sys.executable, "-S", "-m", "locus", "up", "--detach", "--port", "0"],
        cwd=person.home,
        env={**person.environment(), "PYTHONPATH": f"{sources}{os.pathsep}{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "pip install 'locusai[server]'" in done.stderr


def test_a_record_of_a_process_that_is_another_one_now_stops_nothing(person: Person) -> None:
    other = subprocess.Popen([shutil.which("sleep") or "sleep", "60"])
    try:
        record = hosting.Record(
            pid=other.pid,
            started=hosting.start_time(other.pid),
            url="http://127.0.0.1:4700",
            data="",
            log="",
            version="",
        )
        hosting.write(person.state, record)

        said = person.locus("down")

        assert "Nothing to stop" in said.out
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
