"""The frame around all commands: start-up, help, flags, exit codes, interrupts."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pexpect
import pytest
from tests.support import person as persons
from tests.support.person import Person
from tests.support.scripted_http import scripted

import locus.cli.commands
from locus.cli import failure
from locus.cli.frame import GLOBAL
from locus.cli.invocation import Invocation
from locus.cli.main import root
from locus.cli.overview import SUMMARIES
from locus.version import VERSION

REPOSITORY = Path(__file__).parents[2]
HEAVY = {"asyncio", "httpx", "rich", "msgspec", "tomlkit", "click", "platformdirs", "psutil"}


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return persons.new(tmp_path)


def imported(person: Person, *arguments: str) -> set[str]:
    """The modules that `locus` imports for these arguments."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "locus", *arguments],
        env=person.environment(),
        cwd=person.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[1].strip() for line in lines}


def every_command(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command, info_name=path)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from every_command(found, f"{path} {name}")


COMMANDS = list(every_command(root, "locus"))


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


def test_telling_the_version_imports_nothing_heavy(person: Person) -> None:
    assert person.locus("--version").out == f"locus {VERSION}\n"
    assert not imported(person, "--version") & (HEAVY | {"locus.cli.main"})


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_the_first_page_of_help_imports_nothing_heavy(person: Person, arguments: tuple[str, ...]) -> None:
    said = person.locus(*arguments)

    assert said.code == 0
    assert all(f"  {name} " in said.out and summary in said.out for name, summary in SUMMARIES.items())
    assert not imported(person, *arguments) & (HEAVY | {"locus.cli.main"})


@pytest.mark.parametrize("columns", [120, 80, 60])
def test_the_first_page_of_help_fits_into_the_terminal(person: Person, columns: int) -> None:
    terminal = person.at_terminal("--help", columns=columns)
    terminal.expect(pexpect.EOF)

    lines = str(terminal.before).splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    assert "  config            Read and change settings, and see where" in "\n".join(lines)
    assert " ".join(str(terminal.before).split()) == " ".join(person.locus("--help").out.split())


def test_help_of_a_command_imports_neither_a_client_nor_rich(person: Person) -> None:
    assert not imported(person, "config", "--help") & {"httpx", "rich", "tomlkit"}


def test_the_table_lists_exactly_the_commands_there_are() -> None:
    folder = Path(locus.cli.commands.__file__).parent if locus.cli.commands.__file__ else Path()
    files = {path.stem.replace("_", "-") for path in folder.iterdir() if not path.name.startswith("_")}

    assert files == set(SUMMARIES)


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_and_flag_says_what_it_does(path: str, command: click.Command) -> None:
    if command is not root:
        assert command.help, f"{path} has no help"
        assert command.name == path.rsplit(" ", 1)[1]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts[0]} has no help"
            assert option.help.rstrip().endswith((".", "`")), f"{path} {option.opts[0]}: {option.help}"


GROUPS = [command for path, command in COMMANDS if isinstance(command, click.Group) and command is not root]


@pytest.mark.parametrize("command", GROUPS, ids=lambda command: command.name)
def test_what_the_parts_of_a_command_do_is_told_whole_in_a_narrow_terminal(command: click.Group) -> None:
    said = command.get_help(click.Context(command, info_name="locus", terminal_width=60))

    listed = said.partition("Commands:")[2]
    assert "..." not in listed
    assert max(map(len, listed.splitlines())) <= 60


# Two hand every flag on to the server program.
OURS = [command for _, command in COMMANDS if not command.context_settings.get("ignore_unknown_options")]


@pytest.mark.parametrize("command", OURS, ids=lambda command: command.name)
def test_every_command_takes_the_global_flags(command: click.Command) -> None:
    names = {name for param in command.get_params(click.Context(command)) for name in param.opts}

    assert {name for option in GLOBAL for name in option.opts} <= names


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["taks"], "locus tasks"),
        (["tasks", "lst"], "locus tasks list"),
        (["tasks", "list", "--statsu", "done"], "--status"),
        (["config", "get", "providr"], "provider"),
        (["tasks", "list", "--status", "blokced"], "blocked"),
        (["--jsno"], "--json"),
    ],
)
def test_a_slip_of_the_pen_is_wrong_usage_with_a_suggestion(
    person: Person, arguments: list[str], suggestion: str
) -> None:
    said = person.locus(*arguments)

    assert said.code == 2
    assert suggestion in said.err
    assert said.out == ""


def test_a_flag_that_is_like_no_other_is_not_taken_for_one(person: Person) -> None:
    said = person.locus("run", "--agnets")

    assert said.code == 2
    assert said.err == "No such option '--agnets'.\nSee `locus run --help`.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "get"],
        ["config", "get", "provider", "model"],
        ["init", "now"],
        ["tasks", "show"],
        ["tasks", "show", "not-a-key"],
        ["tasks", "move", "WEB-1"],
        ["tasks", "list", "--limit", "0"],
        ["tasks", "add", "x", "--due", "tomorrow"],
        ["tasks", "add", "x", "--from", "y"],
        ["sprints", "complete", "1", "--next", "2"],
        ["tasks", "delete", "WEB-1"],
        ["login", "--key", "lcs_secret"],
        ["config", "set", "provider", "gpt"],
        ["--server", "http://example.org", "tasks"],
        ["-C", "/nonexistent", "config"],
    ],
)
def test_wrong_usage_is_exit_code_two_and_changes_nothing(person: Person, arguments: list[str]) -> None:
    said = person.locus(*arguments)

    assert (said.code, said.out) == (2, "")
    assert said.err
    assert "Traceback" not in said.err


def test_without_a_key_the_exit_code_is_three(person: Person) -> None:
    said = person.locus("tasks")

    assert said.code == 3
    assert "locus login" in said.err


def test_without_a_server_the_exit_code_is_four(person: Person) -> None:
    person.variables.update({"LOCUS_SERVER": "http://127.0.0.1:1", "LOCUS_API_KEY": "lcs_x"})

    said = person.locus("tasks")

    assert said.code == 4
    assert "http://127.0.0.1:1 cannot be reached" in said.err
    assert "locus up" in said.err


def test_with_json_an_error_is_one_document_on_stderr(person: Person) -> None:
    for arguments in (["tasks", "--json"], ["--json", "tasks"], ["tasks", "list", "--json"]):
        said = person.locus(*arguments)

        problem = json.loads(said.err)
        assert (said.code, said.out) == (3, "")
        assert problem["code"] == "not_signed_in"
        assert "locus login" in problem["detail"]
    assert json.loads(person.locus("tasks", "shwo", "--json").err)["code"] == "usage"


def test_a_flag_counts_before_and_after_the_command_and_the_later_one_wins(person: Person) -> None:
    one, two = "http://127.0.0.1:1", "http://127.0.0.1:2"

    assert person.locus("--server", one, "config", "get", "server").out == f"{one}\n"
    assert person.locus("config", "get", "server", "--server", two).out == f"{two}\n"
    assert person.locus("--server", one, "config", "--server", two, "get", "server").out == f"{two}\n"


def test_the_directory_flag_acts_as_if_started_there(person: Person) -> None:
    root = person.repository()
    person.locus("config", "set", "--project", "base", "trunk", cwd=root)

    assert person.locus("config", "get", "base").out == ""
    assert person.locus("-C", str(root), "config", "get", "base").out == "trunk\n"
    assert person.locus("config", "get", "base", "-C", "shop").out == "trunk\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("locus ta", "tasks"), ("locus tasks ap", "approve"), ("locus tasks list --sta", "--status")],
)
def test_a_shell_completes_commands_and_flags(person: Person, typed: str, offered: str) -> None:
    words = typed.split()
    person.variables.update(_LOCUS_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1))

    said = person.locus()

    assert said.code == 0
    assert offered in [line.split(",")[-1] for line in said.out.splitlines()]


def test_errors_are_red_at_a_terminal_unless_colours_are_unwanted(person: Person) -> None:
    def told() -> str:
        child = person.at_terminal("tasks")
        child.expect(pexpect.EOF)
        return str(child.before)

    assert "\x1b[31m✗ This machine has no key" in told()
    person.variables["NO_COLOR"] = "1"
    assert "\x1b" not in told()


async def test_ctrl_c_ends_a_command_with_130_and_without_a_trace(person: Person) -> None:
    asked = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(60)

    async with scripted(stall) as script:
        person.variables.update({"LOCUS_SERVER": script.url, "LOCUS_API_KEY": "lcs_x"})
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "locus", "tasks", env=person.environment(), stdout=-1, stderr=-1
        )
        async with asyncio.timeout(30):
            await asked.wait()
            child.send_signal(signal.SIGINT)
            out, err = await child.communicate()

    assert (child.returncode, out, err) == (130, b"", b"")


def test_ctrl_c_at_a_question_is_130_too(person: Person) -> None:
    child = person.at_terminal("login", "--key")
    child.expect("API key for")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 130


def test_a_reader_that_goes_away_is_no_error(person: Person) -> None:
    for arguments in (["config"], ["config", "--json"], ["--help"], ["--version"]):
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen(
            [sys.executable, "-m", "locus", *arguments],
            env=person.environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
        ) as child:
            os.close(writing)
            _, err = child.communicate(timeout=60)

        assert (child.returncode, err) == (141, b""), arguments


def test_a_group_without_a_command_shows_its_help_and_does_not_send_anybody_there(person: Person) -> None:
    said = person.locus("egress")

    assert said.code == 2
    assert "Usage: locus egress" in said.err
    assert "See `locus egress --help`" not in said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_under_the_output_is_said_and_is_no_bug_of_ours(person: Person, tmp_path: Path) -> None:
    for arguments in (["config"], ["config", "--json"], ["--help"]):
        with Path("/dev/full").open("wb") as full:
            child = subprocess.run(
                [sys.executable, "-m", "locus", *arguments],
                env=person.environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
                check=False,
            )

        assert child.returncode == 1, arguments
        assert b"the disk is full" in child.stderr or b"No space left" in child.stderr, arguments
        assert b"Exception ignored" not in child.stderr, arguments
        assert b"trace" not in child.stderr, arguments


def test_an_unexpected_error_is_short_and_its_trace_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCUS_STATE_DIR", str(tmp_path / "state"))

    code = failure.tell(ZeroDivisionError("secret detail"), Invocation())

    (log,) = (tmp_path / "state").glob("crash-*.log")
    said = capsys.readouterr().err
    assert code == 1
    assert str(log) in said
    assert "secret detail" not in said
    assert "secret detail" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_for_a_debugger_the_trace_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCUS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LOCUS_DEBUG", "1")

    failure.tell(ZeroDivisionError("secret detail"), Invocation())

    assert "ZeroDivisionError: secret detail" in capsys.readouterr().err


def test_a_terminal_that_knows_no_unicode_is_no_reason_to_fail(person: Person) -> None:
    person.variables.update({"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})

    said = person.locus("config")

    assert said.code == 0
    assert "\\u2013" in said.out


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_hardly_more_than_python_itself(person: Person, argument: str) -> None:
    """How long they take is measured by `make bench ARGS=startup`."""
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "locus", argument],
        env=person.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    loaded = {line.rpartition("|")[2].strip() for line in said.splitlines()}

    assert "locus" in loaded
    assert not loaded & {"asyncio", "click", "httpx", "inspect", "msgspec", "psutil", "ssl"}


LEADS_TO_AN_AGENT = """
import dataclasses, sys
import locus.cli.commands.exec, locus.cli.beside.reply, locus.cli.beside.voice
ours = [module for name, module in sys.modules.items() if name.startswith("locus.")]
kinds = {one for module in ours for one in vars(module).values() if isinstance(one, type)}
print(*sorted(kind.__name__ for kind in kinds if dataclasses.is_dataclass(kind)))
"""


def test_hardly_a_dataclass_is_made_on_the_way_to_an_agent(person: Person) -> None:
    """Each costs more to make than a module to load: decision 26."""
    said = subprocess.run(
        [sys.executable, "-c", LEADS_TO_AN_AGENT], env=person.environment(), capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["Spending"]
