"""`locus telegram`: your phone as the remote control of this machine."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.text import ago
from locus.client.plane import ControlPlane
from locus.local import project
from locus.local.errors import LocalError, Usage
from locus.telegram import account as accounts, vault
from locus.telegram.account import API, SWITCHES, Account

LONGEST_TOKEN = 200  # characters
SWITCH = click.argument("what", type=click.Choice(sorted(SWITCHES)))


@frame.group("telegram")
def command() -> None:
    """Let a phone start runs, judge work and hear what happens here, through a bot of your own.

    The bot runs on this machine and does only what its commands name. It listens to the people on its list, each in
    their own chat with it, and to nobody else.
    """


@command.command("setup")
@click.option("--token-stdin", is_flag=True, help="Read the bot's token from standard input.")
@click.option("--api", metavar="URL", help="Address of a Bot API server of your own.")
@click.option("--in-file", is_flag=True, help="Keep the token in a file, although there is a keyring.")
@click.option("--no-enrol", is_flag=True, help="Do not wait for somebody to type the code.")
@click.pass_obj
def setup(here: Invocation, token_stdin: bool, api: str | None, in_file: bool, no_enrol: bool) -> None:
    """Give this machine a bot: a token from @BotFather, then a code that you type to the bot.

    The token is asked for without showing it, and kept in the keyring of your system, or without one in a file that
    only you can read. The repository that you are in becomes its first project.
    """
    from locus.telegram.api import check_address

    address = check_address(api or API)
    token = accounts.check_token(_token(token_stdin=token_stdin))
    name = session.run(_name_of(token, address))
    before = accounts.read(with_token=False)
    fresh = Account(token=token, bot=name, api=address, in_keyring=not in_file and vault.keep(name, token))
    if before is not None:
        fresh.people = before.people if before.bot == name else []
        fresh.projects, fresh.switches = before.projects, before.switches
        fresh.webhook = before.webhook
        if before.in_keyring and not (fresh.in_keyring and before.bot == name):
            vault.forget(before.bot)
    accounts.write(fresh)
    out = Output(here)
    out.note(Cell("✓ ", "green"), f"The token is that of @{name}. It is kept in {_kept(fresh)}.")
    root = session.root(here)
    if root is not None:
        _add(out, root, None)
    if fresh.people or no_enrol:
        out.note("Let it work: locus telegram run    Let somebody use it: locus telegram enrol")
    else:
        _enrol(out, name)


@command.command("enrol")
@click.pass_obj
def enrol(here: Invocation) -> None:
    """Show a code that puts whoever types it to the bot on the list. It counts once, for ten minutes."""
    account = accounts.need()
    _enrol(Output(here), account.bot)


@command.command("run")
@click.option("--webhook", metavar="URL", help="Have Telegram bring updates to this https address.")
@click.option("--listen", metavar="HOST:PORT", help="Where the bot takes them, behind the proxy that speaks TLS.")
@click.option("--poll", is_flag=True, help="Ask Telegram for updates again, as at the beginning.")
@click.pass_obj
def run(here: Invocation, webhook: str | None, listen: str | None, poll: bool) -> None:
    """Let the bot work, until Ctrl+C. As a service: locus service install bot.

    It asks Telegram for updates, which needs no address. With --webhook and --listen Telegram brings them; that is
    remembered, also for the service, until --poll.
    """
    from locus.telegram.serving import serve

    if (webhook is None) != (listen is None) or (poll and webhook is not None):
        raise Usage("A webhook needs --webhook and --listen; --poll needs neither.")
    if poll or (webhook is not None and listen is not None):
        from locus.telegram.webhook import parse

        hook = parse(webhook, listen) if webhook is not None and listen is not None else None
        with accounts.changed() as account:
            account.webhook = hook
    out = Output(here)

    @asynccontextmanager
    async def opened(root: Path) -> AsyncIterator[ControlPlane]:
        there = Invocation(server=here.server, workspace=here.workspace, directory=root)
        async with session.plane(there) as plane:
            yield plane

    session.run(serve(opened, out.note))


@command.command("status")
@click.pass_obj
def status(here: Invocation) -> None:
    """Show the bot, who may use it, what it serves, and what it was asked last."""
    from locus.telegram.serving import is_running
    from locus.telegram.store import Store

    account = accounts.need(with_token=False)
    running = is_running()
    store = Store(accounts.store_path())
    acts = store.db.execute("SELECT person, what, state, begun FROM acts ORDER BY update_id DESC LIMIT 10").fetchall()
    waiting = store.db.execute("SELECT count(*) FROM outbox WHERE state = 'waiting'").fetchone()[0]
    store.close()
    out = Output(here)
    if here.json:
        out.json(
            {
                "bot": account.bot,
                "running": running,
                "people": account.people,
                "projects": account.projects,
                "allowed": account.switches,
                "token_in": "keyring" if account.in_keyring else str(accounts.path()),
                "webhook": account.webhook,
                "waiting": waiting,
                "acts": [dict(act) for act in acts],
            }
        )
        return
    out.line(f"@{account.bot}  {'works' if running else 'does not run: locus telegram run'}")
    out.line(f"  its token is in {_kept(account)}")
    if account.webhook is not None:
        hook = account.webhook
        out.line(f"  Telegram brings updates to {hook.url}, taken at {hook.host}:{hook.port}")
    names = {person.user: person.name for person in account.people}
    for person in account.people:
        out.line(f"  {person.name} ({person.user})")
    if not account.people:
        out.note("  Nobody may use it yet: locus telegram enrol")
    for place in account.projects:
        out.line(f"  {place.name}  {place.root}")
    for switch, means in SWITCHES.items():
        out.line(f"  {'allowed' if switch in account.switches else 'off':8} {switch}: {means}")
    if waiting:
        out.line(f"  {waiting} messages wait to be sent")
    columns = [Column("WHEN"), Column("WHO"), Column("WHAT", grows=True), Column("STATE")]
    rows = [
        [ago(datetime.fromtimestamp(act["begun"], UTC)), names.get(act["person"], "?"), act["what"], act["state"]]
        for act in acts
    ]
    out.table(columns, rows)


@command.command("add")
@click.option("--name", metavar="NAME", help="What it is called in the chat. Default: the name of its folder.")
@click.pass_obj
def add(here: Invocation, name: str | None) -> None:
    """Let the bot serve this repository too."""
    _add(Output(here), project.find(here.cwd), name)


@command.command("drop")
@click.argument("name")
@click.pass_obj
def drop(here: Invocation, name: str) -> None:
    """Let the bot not serve a project any more. Nothing of the project is changed."""
    with accounts.changed() as account:
        if account.project(name) is None:
            raise LocalError(f"The bot serves no project {name}.", remedy="See them: locus telegram status")
        account.projects = [place for place in account.projects if place.name != name]
    Output(here).note(f"{name} is not served any more.")


@command.command("expel")
@click.argument("user", type=int)
@click.pass_obj
def expel(here: Invocation, user: int) -> None:
    """Take somebody off the list, by the number that `locus telegram status` shows."""
    with accounts.changed() as account:
        found = account.person(user)
        if found is None:
            raise LocalError(f"{user} is not on the list.", remedy="See it: locus telegram status")
        account.people = [person for person in account.people if person.user != user]
    Output(here).note(f"{found.name} cannot use the bot any more.")


@command.command("allow")
@SWITCH
@click.pass_obj
def allow(here: Invocation, what: str) -> None:
    """Allow something that is off until you say so here."""
    with accounts.changed() as account:
        account.switches = sorted({*account.switches, what})
    Output(here).note(f"The bot may {SWITCHES[what]}.")


@command.command("forbid")
@SWITCH
@click.pass_obj
def forbid(here: Invocation, what: str) -> None:
    """Take back what was allowed."""
    with accounts.changed() as account:
        account.switches = [one for one in account.switches if one != what]
    Output(here).note(f"The bot may not {SWITCHES[what]}.")


@command.command("remove")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(here: Invocation, yes: bool) -> None:
    """Forget the bot: its token, its list, its queue. Its jobs and messages are gone with it."""
    from locus.telegram.serving import alone

    account = accounts.need(with_token=False)
    if not yes:
        if not sys.stdin.isatty():
            raise Usage("Removing needs --yes when nobody can be asked.")
        if not click.confirm(f"Forget @{account.bot} on this machine?", err=True):
            raise LocalError("Nothing was removed.")
    with alone():
        if account.in_keyring:
            vault.forget(account.bot)
        accounts.path().unlink(missing_ok=True)
        for file in accounts.store_path().parent.glob("bot.sqlite3*"):
            file.unlink(missing_ok=True)
        for log in accounts.jobs_path().glob("*.log"):
            log.unlink(missing_ok=True)
    Output(here).note(f"@{account.bot} is forgotten here. To end it for good, tell @BotFather: /revoke or /deletebot")


def _kept(account: Account) -> str:
    return "the keyring of the system" if account.in_keyring else str(accounts.path())


def _token(*, token_stdin: bool) -> str:
    if token_stdin:
        return sys.stdin.buffer.readline(LONGEST_TOKEN).decode("ascii", "replace")
    if not sys.stdin.isatty():
        raise Usage("There is no terminal to ask for the token.", remedy="Use --token-stdin.")
    click.echo("Talk to @BotFather in Telegram: /newbot. It gives you a token.", err=True)
    return str(click.prompt("Token", hide_input=True, err=True))


async def _name_of(token: str, api: str) -> str:
    from locus.telegram.api import connected

    async with connected(token, api) as bot:
        return bot.username


def _add(out: Output, root: Path, name: str | None) -> None:
    from locus.telegram.serving import add_project

    out.note(f"{root} is the project {add_project(root, name)} of the bot.")


def _enrol(out: Output, bot: str) -> None:
    from locus.telegram.serving import enrol as wait

    def show(code: str) -> None:
        out.line(f"Open https://t.me/{bot} and send:  {code}")
        out.note("It counts once, for ten minutes. Ctrl+C ends the waiting.")

    person = session.run(wait(show))
    out.note(Cell("✓ ", "green"), f"{person.name} ({person.user}) is on the list.")
