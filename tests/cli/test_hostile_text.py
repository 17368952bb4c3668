"""Text of others, however hostile, neither commands the terminal nor poses as a line of ours: in every command."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pytest
from hypothesis import given, strategies as st
from tests.support import server as servers
from tests.support.at_server import SignedIn, signed_in
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.scripted_http import reply, scripted
from tests.support.server import RunningServer
from tests.support.terminal import Terminal

from locus.cli.overview import SUMMARIES
from locus.cli.text import safe

FORGED = "FORGED"
COLUMNS = 100
ATTACKS = {
    "line": f"a\n{FORGED}",
    "return": f"a\r{FORGED}",
    "both": f"a\r\n✓ {FORGED}",
    "up": f"a\x1b[1A\r\x1b[2K{FORGED}",
    "home": f"\x1b[H\x1b[2J{FORGED}",
    "title": f"\x1b]0;{FORGED}\x07b",
    "clipboard": "\x1b]52;c;Rk9SR0VE\x07b",
    "link": f"\x1b]8;;http://127.0.0.1:1/\x1b\\{FORGED}\x1b]8;;\x1b\\",
    "other screen": f"\x1b[?1049h{FORGED}",
    "mouse": "\x1b[?1003h\x1b[?1006hb",
    "answerback": "\x1b[c\x1b[6n\x05b",
    "C1": f"\x9b2J\x9b1;1H{FORGED}\x9d0;{FORGED}\x9cb",
    "DCS": f"\x1bP$q{FORGED}\x1b\\b",
    "half": "b\x1b[",
    "next line": f"a\x85{FORGED}",
    "separators": f"a\u2028{FORGED}\u2029{FORGED}\x0b{FORGED}\x0c{FORGED}",
    "bidi": f"a\u202e{FORGED}\u2066",
    "tags": "a\U000e0041\U000e0042b",
    "backspace": f"abc\b\b\b\x7f{FORGED}",
    "width": f"{'x' * COLUMNS}{FORGED}",
    "padding": f"a{' ' * (COLUMNS - 1)}✓ {FORGED}{' ' * 80}{FORGED}",
    "markup": f"[bold red]a[/][link=http://127.0.0.1:1]{FORGED}[/link] :bomb:",
}
# Every column that somebody else's words stand in, as a hostile or broken server could send them.
WRITTEN = {
    "organizations": ("name",),
    "workspaces": ("name",),
    "sprints": ("name", "goal"),
    "tasks": ("title", "description", "assignee", "branch", "pull_request_url"),
    "comments": ("text", "author_name"),
    "agents": ("name", "provider_version", "model"),
    "attempts": ("agent_name", "branch"),
    "docs": ("title",),
    "api_keys": ("name",),
}
COMMANDS = (
    ("run", "--yes", "--once", "--verbose"),
    ("run", "--yes", "--once", "--json"),
    ("status",),
    ("tasks", "list"),
    ("tasks", "list", "--next"),
    ("tasks", "show", "WEB-1"),
    ("tasks", "show", "WEB-2"),
    ("tasks", "edit", "WEB-3", "--priority", "high"),
    ("tasks", "comment", "WEB-1", "-m", "x"),
    ("tasks", "move", "WEB-3", "--top"),
    ("tasks", "approve", "WEB-2"),
    ("sprints", "list"),
    ("sprints", "show", "1"),
    ("sprints", "edit", "1", "--goal", "x"),
    ("sprints", "complete", "1"),
    ("docs", "list"),
    ("docs", "sync"),
    ("docs", "sync", "--json"),
    ("doctor",),
    ("config", "list"),
    ("login",),
    ("audit", "verify"),
    ("audit", "export"),
    ("egress", "log"),
    ("egress", "show", "1"),
    ("egress", "verify"),
    ("evidence", "WEB-2"),
    ("tasks", "list", "--json"),
    ("tasks", "show", "WEB-1", "--json"),
    ("sprints", "list", "--json"),
    ("status", "--json"),
    ("doctor", "--json"),
    ("parked", "list"),
    ("review-hold",),
    ("review-hold", "WEB-3"),
    ("revert", "WEB-2", "--dry-run"),
    ("bisect", "false"),
    ("checks", "list"),
    ("exec", "--yes", "Say something"),
    ("sessions", "list"),
    ("review", "--yes"),
    ("iterate", "--yes"),
    ("plan", "--list"),
    ("discuss", "--list"),
    ("insights",),
    ("index", "--show"),
    ("index", "--query", "shop"),
    ("artifacts", "list"),
    ("learn",),
    ("replay", "agent.py"),
    ("telegram", "status"),
    ("service", "status"),
)
OTHER_SCREEN = {"CSI ?1049h", "CSI ?1049l", "CSI H"}  # what a view that is drawn again asks for itself
# Documents for programs: nobody takes a line of JSON for a line of ours.
MACHINE = {command for command in COMMANDS if "--json" in command or command == ("audit", "export")}
# These print nothing that comes from elsewhere, or start a server, and are not walked.
OURS = {"demo", "up", "down", "init", "logout", "serve", "migrate", "completion", "upgrade"}


@dataclass(frozen=True)
class Hostile:
    """A person at a workspace in which every text is an attack, with an agent that prints attacks."""

    ada: SignedIn
    root: Path
    seen: dict[tuple[str, ...], Terminal] = field(default_factory=dict)

    async def once(self, *arguments: str) -> Terminal:
        """What a command did to a terminal the first time it was tried here."""
        if arguments not in self.seen:
            self.seen[arguments] = await self.terminal(*arguments)
        return self.seen[arguments]

    async def terminal(self, *arguments: str) -> Terminal:
        """What a command does to a terminal."""

        def watch() -> str:
            child = self.ada.person.at_terminal(*arguments, cwd=self.root, timeout=90)
            child.expect(pexpect.EOF)
            child.close()
            assert isinstance(child.before, str)
            return child.before

        return Terminal(COLUMNS).feed(await asyncio.to_thread(watch))


@pytest.fixture(scope="module")
async def hostile(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hostile]:
    async with databases.one() as dsn, servers.running(dsn) as server:
        ada = await signed_in(server, tmp_path_factory.mktemp("hostile"))
        root = ada.person.repository("shop")
        agent = root.parent / "agent.py"
        agent.write_text(
            f"import sys\nsys.stdin.read()\nprint({ATTACKS['title']!r})\n"
            f"for attack in {list(ATTACKS.values())!r}:\n    print(attack)\n    print(attack, file=sys.stderr)\n"
            f"sys.exit({ATTACKS['up']!r})\n"
        )
        program = ada.person.program("agent", f"exec {sys.executable} {agent}")
        ada.person.variables["LOCUS_PROVIDER"] = "command"
        ada.person.variables["LOCUS_SANDBOX"] = "off"
        ada.person.variables["LOCUS_AGENT_COMMAND"] = str(program)
        await planned(server)
        await attacked(server)
        yield Hostile(ada, root)


async def planned(server: RunningServer) -> None:
    """A sprint with a task for each attack, some with comments, in every status, and an agent."""
    async with server.client(await server.key()) as api:

        async def post(path: str, body: Any = None) -> Any:
            answer = await api.post(server.path(path), json=body)
            assert answer.status_code < 300, answer.text
            return answer.json()

        sprint = await post("/sprints", {"name": "s", "goal": "g"})
        for number in range(len(ATTACKS)):
            task = {"title": f"t{number}", "description": "d", "sprint_id": sprint["id"], "checklist": [{"text": "i"}]}
            await post("/tasks", task)
        await post("/sprints/1/start")
        await post("/tasks/WEB-1/comments", {"text": "c"})
        await post("/tasks/WEB-1/comments", {"text": "c"})
        await post("/docs", {"title": "d"})
        agent = {"name": "a", "host_class": "ci", "os_family": "linux", "provider": "command", "locus_version": "1"}
        agent_id = (await post("/agents", agent))["id"]
        lease = (await post("/dispatch/claim", {"agent_id": agent_id}))["lease"]
        numbers = {"provider": "command"}
        end = {"fence": lease["fence"], "reason": "agent_failed", "numbers": numbers}
        await post(f"/tasks/{lease['task_id']}/lease/fail", end)
        await post("/dispatch/claim", {"agent_id": agent_id})
    statement = "UPDATE tasks SET status = $1, blocked_reason = $2, commit_sha = $3 WHERE number = $4"
    await server.pool.execute(statement, "IN_REVIEW", None, "a" * 40, 2)
    await server.pool.execute(statement, "BLOCKED", "manual", None, 3)

    async def numbered() -> bool:
        return not await server.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NULL")

    await until(numbered)


async def attacked(server: RunningServer) -> None:
    """Put an attack into every text of the database, past every check of the API, each row another one."""
    attacks = list(ATTACKS.values())
    turn = 0
    async with server.pool.acquire() as db:
        await db.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        for table, columns in WRITTEN.items():
            for row in await db.fetch(f"SELECT ctid FROM {table}"):
                where = row["ctid"]
                for column in columns:
                    sql = f"UPDATE {table} SET {column} = $1 WHERE ctid = $2 RETURNING ctid"
                    where = await db.fetchval(sql, attacks[turn % len(attacks)], where)
                    turn += 1
        # What one look shows has them all.
        everything = "\n".join(attacks)
        await db.execute("UPDATE tasks SET description = $1 WHERE number IN (1, 2)", everything)
        await db.execute("UPDATE comments SET text = $1 WHERE ctid = (SELECT min(ctid) FROM comments)", everything)
        await db.execute("UPDATE tasks SET checklist = jsonb_set(checklist, '{0,text}', to_jsonb(title))")
        await db.execute("UPDATE tasks SET labels = ARRAY[title]")
        await db.execute("UPDATE tasks SET assignee = NULL WHERE number > 3")  # an agent's, not a person's


def forged(terminal: Terminal) -> list[str]:
    """Lines that begin, where ours begin, with what somebody else wrote."""
    return [line for line in terminal.history if re.match(rf" {{0,3}}(?:[^\w\s] ?)?{FORGED}", line)]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_no_command_lets_foreign_text_command_the_terminal(hostile: Hostile, command: tuple[str, ...]) -> None:
    terminal = await hostile.once(*command)

    assert terminal.told == []
    assert any(line.strip() for line in terminal.screen)


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in MACHINE], ids=" ".join)
async def test_no_command_lets_foreign_text_forge_a_line(hostile: Hostile, command: tuple[str, ...]) -> None:
    assert forged(await hostile.once(*command)) == []


async def test_the_attacks_are_really_shown(hostile: Hostile) -> None:
    """What is harmless of them stands there: a command that shows nothing proves nothing."""
    shown = "\n".join((await hostile.once("tasks", "show", "WEB-1")).screen)
    run = "\n".join((await hostile.once("run", "--yes", "--once", "--verbose")).history)

    assert shown.count(FORGED) > 10
    assert run.count(FORGED) > 5
    assert "\\u{202e}" in shown


async def test_a_view_that_is_drawn_again_and_again_is_not_commanded_either(hostile: Hostile) -> None:
    def watch() -> str:
        child = hostile.ada.person.at_terminal("status", "--watch", cwd=hostile.root)
        child.expect("Ctrl\\+C ends")
        shown = str(child.before)
        child.sendintr()
        child.expect(pexpect.EOF)
        return shown + str(child.before)

    terminal = Terminal(COLUMNS).feed(await asyncio.to_thread(watch))

    assert set(terminal.told) <= OTHER_SCREEN
    assert forged(terminal) == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
async def test_a_refusal_of_the_server_is_not_obeyed_by_the_terminal(hostile: Hostile, flags: tuple[str, ...]) -> None:
    said = {"title": FORGED, "status": 422, "code": "invalid", "detail": "\n".join(ATTACKS.values())}
    refusal = reply(422, json.dumps(said).encode(), kind="application/problem+json")
    async with scripted(*[refusal] * 3) as script:
        terminal = await hostile.terminal("tasks", "list", "--server", script.url, *flags)

    assert FORGED in "".join(terminal.screen)
    assert terminal.told == []
    assert flags or forged(terminal) == []


def test_every_command_is_walked_or_prints_only_our_own_words() -> None:
    assert {command[0] for command in COMMANDS} | OURS >= set(SUMMARIES)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_works_on_a_terminal_that_gets_it_as_it_is(attack: str) -> None:
    naive = Terminal(COLUMNS).feed(ATTACKS[attack].replace("\n", "\r\n"))

    assert naive.told or forged(naive) or attack in ("tags", "markup", "half", "separators", "next line")


@given(st.text(alphabet=st.sampled_from([*"".join(ATTACKS.values()), *map(chr, range(0xA0))]), max_size=60))
def test_what_is_safe_commands_no_terminal(text: str) -> None:
    for lines in (False, True):
        terminal = Terminal(COLUMNS).feed(safe(text, lines=lines).replace("\n", "\r\n"))

        assert terminal.told == []
