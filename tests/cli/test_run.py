"""`locus run` as a person types it: consent, Ctrl+C on a real terminal, lines for programs, and clear refusals."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pexpect
import pytest
from tests.support import person as persons
from tests.support.person import Person
from tests.support.processes import is_alive


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody with a repository, a running server and an active sprint with one task."""
    tmp_path.chmod(0o711)  # PostgreSQL runs as another account when the tests are root
    person = persons.new(tmp_path)
    person.repository("shop")
    assert person.locus("up", "--detach", "--port", "0", cwd=person.home / "shop").code == 0
    assert person.locus("sprints", "add", "First", "--start").code == 0
    add(person, "Write one")
    yield person
    person.locus("down")


def add(person: Person, title: str) -> None:
    assert person.locus("tasks", "add", title, "--sprint", "active").code == 0


def agent(person: Person, script: str) -> None:
    """Make a shell script the agent of the provider `command`."""
    program = person.program("agent", script)
    person.variables["LOCUS_AGENT_COMMAND"] = str(program)
    person.variables["LOCUS_PROVIDER"] = "command"


def status(person: Person, key: str = "SHOP-1") -> str:
    told = json.loads(person.locus("tasks", "show", key, "--json").out)
    return str((told.get("task") or told)["status"])


def run(person: Person, *arguments: str) -> persons.Said:
    return person.locus("run", *arguments, cwd=person.home / "shop")


def test_without_consent_and_without_a_terminal_nothing_is_started(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")

    said = run(person)

    assert said.code == 1
    assert "rights" in said.err
    assert "--yes" in said.err
    assert status(person) == "BACKLOG"


def test_consent_is_asked_once_at_a_terminal_and_kept(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")

    child = person.at_terminal("run", cwd=person.home / "shop")
    child.expect(r"\[y/N\]")
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    add(person, "Write two")
    agent(person, "cat > /dev/null; echo done > two.txt")
    again = run(person)

    assert child.exitstatus == 0
    assert again.code == 0
    assert status(person, "SHOP-2") == "IN_REVIEW"


def test_who_does_not_agree_starts_nothing(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")

    child = person.at_terminal("run", cwd=person.home / "shop")
    child.expect(r"\[y/N\]")
    child.sendline("")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 1
    assert status(person) == "BACKLOG"


def test_a_pipe_gets_plain_lines_without_escape_sequences(person: Person) -> None:
    agent(person, "cat > /dev/null; printf '\\033[31mred\\033[0m\\n'; echo done > one.txt")

    said = run(person, "--yes", "--verbose")

    assert said.code == 0
    assert "\x1b" not in said.out
    assert re.search(r"◉ IN_REVIEW +at [0-9a-f]{7}", said.out)


def test_a_quiet_run_tells_what_came_of_each_task_and_leaves_out_the_steps(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")

    said = run(person, "--yes", "--quiet")

    assert said.code == 0
    assert re.search(r"◉ IN_REVIEW +[A-Z]+-1  at [0-9a-f]{7}", said.out)
    assert "1 task in review" in said.out
    assert "Locus run" not in said.out
    assert "attempt 1" not in said.out
    assert not re.search(r"^  . (agent|commit|push) ", said.out, re.MULTILINE)


def test_programs_get_one_json_object_a_line(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")

    said = run(person, "--yes", "--json")

    told = [json.loads(line) for line in said.out.splitlines()]
    kinds = [one["kind"] for one in told]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_ended"
    assert kinds.index("task_claimed") < kinds.index("committed") < kinds.index("pushed") < kinds.index("task_ended")
    assert next(one for one in told if one["kind"] == "task_ended")["outcome"]["kind"] == "completed"


def ask_for_summaries(person: Person) -> None:
    """Switch them on in the workspace, with the key that `locus up` has made."""
    [kept] = person.home.rglob("credentials.json")
    [(server, secret)] = re.findall(r'"(http[^"]+)"[^}]*?"(lcs_\w+)"', kept.read_text())
    with httpx.Client(base_url=server, headers={"Authorization": f"Bearer {secret}", "If-Match": "*"}) as api:
        [workspace] = api.get("/api/v1/workspaces").json()["items"]
        assert api.patch(f"/api/v1/workspaces/{workspace['id']}", json={"summaries": True}).status_code == 200


def test_words_are_sent_unless_a_flag_or_a_variable_forbids_it(person: Person) -> None:
    ask_for_summaries(person)
    add(person, "Write two")
    add(person, "Write three")
    agent(person, "cat > /dev/null; date +%N > $RANDOM$$.txt; echo Invoices now round each rate once, at the end.")

    by_flag = run(person, "--yes", "--once", "--no-summaries")
    person.variables["LOCUS_SUMMARIES"] = "false"
    by_variable = run(person, "--yes", "--once")
    del person.variables["LOCUS_SUMMARIES"]
    sent = run(person, "--yes", "--once")

    said = [person.locus("tasks", "show", f"SHOP-{number}").out for number in (1, 2, 3)]
    assert ["Invoices now round" in one for one in said] == [False, False, True]
    asks = ["asks for a summary" in one.out + one.err for one in (by_flag, by_variable, sent)]
    assert asks == [False, False, True]


def hanging(person: Person) -> None:
    agent(
        person,
        f"cat > /dev/null; echo half > half.txt; sleep 600 & echo $$ $! > {person.place}/pids; echo busy; wait",
    )


def at_work(person: Person) -> tuple["pexpect.spawn[str]", list[int]]:
    """A run on a terminal whose agent hangs, and the agent's processes."""
    hanging(person)
    child = person.at_terminal("run", "--yes", cwd=person.home / "shop")
    child.expect("SHOP-1")
    pids = person.place / "pids"
    end = time.monotonic() + 30
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        assert time.monotonic() < end, "the agent did not start"
        child.expect([pexpect.TIMEOUT], timeout=0.05)
    return child, [int(pid) for pid in pids.read_text().split()]


def test_ctrl_c_parks_the_work_gives_the_task_back_and_exits_with_130(person: Person) -> None:
    child, pids = at_work(person)

    child.sendintr()
    child.expect("parking the work")
    child.expect("its work is kept: locus parked show SHOP-1/1")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 130
    assert status(person) == "BACKLOG"
    assert not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_sigterm_and_a_closed_terminal_end_a_run_in_order_with_codes_of_their_own(
    person: Person, number: signal.Signals, code: int
) -> None:
    child, pids = at_work(person)

    child.kill(number)
    child.expect("its work is kept: locus parked show SHOP-1/1")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == code
    assert status(person) == "BACKLOG"
    assert not any(is_alive(pid) for pid in pids)


def test_a_closed_terminal_does_not_end_a_run_that_nohup_has_started(person: Person) -> None:
    hold = person.place / "hold"
    agent(person, f"cat > /dev/null; echo > {person.place}/began; while [ ! -e {hold} ]; do sleep 0.1; done; echo > a")
    process = subprocess.Popen(
        [sys.executable, "-m", "locus", "run", "--yes"],
        cwd=person.home / "shop",
        env=person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    end = time.monotonic() + 30
    while not (person.place / "began").exists():
        assert time.monotonic() < end, "the agent did not start"
        time.sleep(0.05)

    process.send_signal(signal.SIGHUP)
    hold.touch()

    assert process.wait(timeout=60) == 0
    assert status(person) == "IN_REVIEW"


def test_a_run_that_waits_for_a_sprint_says_by_its_code_what_ended_it(person: Person) -> None:
    agent(person, "exit 1")
    assert person.locus("sprints", "complete", "1", "--open-tasks", "to_backlog").code == 0
    child = person.at_terminal("run", "--yes", "--watch", cwd=person.home / "shop")
    child.expect("(?i)wait")

    child.kill(signal.SIGTERM)
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 143


def test_ctrl_c_twice_ends_everything_at_once(person: Person) -> None:
    child, pids = at_work(person)

    child.sendintr()
    child.sendintr()
    child.expect(pexpect.EOF, timeout=20)
    child.close()

    assert child.exitstatus == 130
    assert status(person) == "BACKLOG"
    assert not any(is_alive(pid) for pid in pids)


def test_a_failed_task_is_exit_code_one_and_says_why(person: Person) -> None:
    agent(person, "cat > /dev/null")

    said = run(person, "--yes")

    assert said.code == 1
    assert "the agent changed nothing" in said.out
    assert "BLOCKED" in said.out


def test_the_last_words_of_an_agent_that_failed_are_told(person: Person) -> None:
    agent(person, "cat > /dev/null; for n in 1 2 3 4; do echo trouble $n >&2; done; exit 7")

    said = run(person, "--yes", "--once")

    assert "✗ agent        It ended with exit code 7." in said.out
    assert [line.split() for line in said.out.splitlines() if "trouble" in line] == [
        ["·", "trouble", "2"],
        ["·", "trouble", "3"],
        ["·", "trouble", "4"],
    ]


def test_a_task_that_is_held_for_a_person_is_not_counted_among_the_failed(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt; echo {} > package-lock.json")

    said = run(person, "--yes")

    assert "it is held for you to look at: locus review-hold SHOP-1" in said.out
    assert "0 tasks in review, 1 waits for you in" in said.out
    assert "failed" not in said.out
    assert (said.code, status(person)) == (1, "BLOCKED")


def test_a_sprint_that_is_not_active_is_told_with_the_command_that_starts_it(person: Person) -> None:
    agent(person, "cat > /dev/null; echo done > one.txt")
    assert person.locus("sprints", "complete", "active", "--open-tasks", "to_backlog").code == 0

    said = run(person, "--yes")

    assert said.code == 1
    assert "locus sprints start" in said.err


WRONG = [
    (["--once", "--max-tasks", "3"], 2, "--once"),
    (["--provider", "gemini"], 2, "claude"),
    (["--max-tasks", "0"], 2, "max-tasks"),
    (["--no-such-flag"], 2, "--no-such-flag"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_wrong_usage_is_refused_with_code_two(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    person = persons.new(tmp_path)
    person.repository("shop")

    said = run(person, *arguments)

    assert (said.code, words in said.err) == (code, True), said.err


def test_who_is_not_signed_in_hears_how_to(tmp_path: Path) -> None:
    person = persons.new(tmp_path)
    person.repository("shop")
    agent(person, "true")

    said = run(person, "--yes")

    assert said.code == 3
    assert "locus login" in said.err or "locus up" in said.err


def test_outside_of_a_repository_nothing_is_started(tmp_path: Path) -> None:
    person = persons.new(tmp_path)
    agent(person, "true")

    said = person.locus("run", "--yes")

    assert said.code == 1
    assert "git repository" in said.err
