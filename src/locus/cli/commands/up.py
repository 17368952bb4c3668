"""`locus up`: a control plane on this machine, with a PostgreSQL of its own, and a key for it."""

import os
import signal
from pathlib import Path

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.cli.signals import heeded
from locus.client.address import is_loopback
from locus.client.errors import NotSignedIn
from locus.client.plane import ControlPlane
from locus.local import credentials, files, hosting
from locus.local.credentials import VARIABLE, Credential
from locus.local.directories import Directories, directories
from locus.local.errors import LocalError
from locus.local.settings import BY_NAME, Origin, set_user

HOST = "127.0.0.1"
PORT = 4700
LOG = "server.log"
NEXT_STEPS = (
    ("locus init", "name the checks that an agent's work must pass"),
    ('locus sprints add "First" --start', "begin a sprint"),
    ('locus tasks add "..." --sprint active', "write a task"),
    ("locus run", "let an agent do it"),
)


class Answer(Struct, frozen=True):
    """What `--json` says."""

    url: str
    api_page: str
    workspace: str | None
    data: str
    log: str
    pid: int
    version: str
    started: bool
    """False when it was running already."""
    detached: bool
    sign_in: str | None  # a page that signs a browser in, once and within ten minutes


class Wish(Struct, frozen=True):
    """What was asked for."""

    port: int
    data: Path | None
    """Where the database shall live; None leaves it to the environment, else to the usual place."""
    first_workspace: str
    detach: bool


@frame.command("up")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=f"Port to answer on; 0 takes any free one. Default: {PORT}.",
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where the database lives."
)
@click.option(
    "--workspace",
    "first_workspace",
    metavar="NAME",
    help="Name of the first workspace, on an empty database. Default: the name of the current repository's folder.",
)
@click.option("--detach", "-d", is_flag=True, help="Return when it is ready, and let it run until `locus down`.")
@click.pass_obj
def command(
    here: Invocation, port: int | None, data: Path | None, first_workspace: str | None, detach: bool
) -> int | None:
    """Start a control plane on this machine and sign in to it.

    It answers on this machine only. On an empty database it makes the first organization and workspace and keeps a
    key for you. It stays in the foreground until Ctrl+C, unless --detach is given.
    """
    if here.server is not None:
        raise click.UsageError("`up` starts a server on this machine; say where with --port.")
    out = Output(here)
    places = directories()
    wish = Wish(
        port=PORT if port is None else port,
        data=(here.cwd / data).resolve() if data else None,
        first_workspace=first_workspace or _folder_name(here),
        detach=detach,
    )
    with files.locked(places.state / hosting.FILE):
        running = _running(places, out)
        if running is not None:
            _refuse_other(running, port, wish.data)
            _tell(out, running, _new_link(running, places), started=False, detached=running.owner is None)
            return None
        serving = _start(wish, places, out)
        record = _record(serving, detach)
        hosting.write(places.state, record)
    _tell(out, record, serving.ready.sign_in, started=True, detached=detach)
    return None if detach else _stay(serving, record, places, out)


def _folder_name(here: Invocation) -> str:
    root = session.root(here)
    return (root.name if root else "") or "Workspace"


def _running(places: Directories, out: Output) -> hosting.Record | None:
    """The server that runs already. One whose `locus up` was killed is stopped: nobody would stop it any more."""
    record = hosting.read(places.state)
    if record is None:
        return None
    if hosting.is_alive(record) and (record.owner is None or hosting.owner_is_alive(record)):
        return record
    if hosting.is_alive(record):
        out.note("Stopping a server whose `locus up` was killed.")
        hosting.stop(record)
    hosting.forget(places.state, record)
    return None


def _refuse_other(running: hosting.Record, port: int | None, data: Path | None) -> None:
    other_port = port not in (None, 0) and not running.url.endswith(f":{port}")
    if other_port or (data is not None and str(data) != running.data):
        raise LocalError(
            f"A server of yours runs already, at {running.url} with its data in {running.data}.",
            remedy="Stop it first: locus down. To run two, give the second its own LOCUS_STATE_DIR.",
        )


def _start(wish: Wish, places: Directories, out: Output) -> hosting.Serving:
    """Start the server and make sure that a key of ours opens it."""
    hosting.check_port(HOST, wish.port)
    usual = f"http://{HOST}:{wish.port}"
    out.note("Starting the server and its database …")
    serving = _launch(wish, places, mint=credentials.stored(usual) is None)
    try:
        if serving.ready.key is None and not _opens(serving.ready.url):
            # A key is stored, but for another database that once answered at this address.
            hosting.end(serving.process)
            serving = _launch(wish, places, mint=True)
        if serving.ready.key is not None:
            _keep_key(serving.ready, serving.ready.key)
        _talk_to(serving.ready.url, out)
    except BaseException:
        hosting.end(serving.process)
        raise
    return serving


def _launch(wish: Wish, places: Directories, *, mint: bool) -> hosting.Serving:
    arguments = ["serve", "--host", HOST, "--port", str(wish.port), "--log-format", "text"]
    arguments += ["--bootstrap", wish.first_workspace]
    arguments += ["--data", str(wish.data)] if wish.data else []
    arguments += ["--mint"] if mint else []
    arguments += [] if wish.detach else ["--parent-pid", str(os.getpid())]
    environ = hosting.server_environment(os.environ, places.data)
    return hosting.start(hosting.server_command(*arguments), environ=environ, log=places.state / "logs" / LOG)


def _opens(url: str) -> bool:
    """Whether the stored key is good for the server at the address."""
    stored = credentials.stored(url)
    if stored is None:
        return False

    async def ask(stored: Credential) -> None:
        async with ControlPlane(url, stored.secret, stored.workspace_id, egress=session.egress()) as plane:
            await plane.me()

    try:
        session.run(ask(stored))
    except NotSignedIn:
        return False
    return True


def _keep_key(ready: hosting.Ready, secret: str) -> None:
    workspace = ready.workspace
    credentials.store(
        Credential(
            server=ready.url,
            secret=secret,
            workspace_id=workspace.id if workspace else None,
            workspace_name=workspace.name if workspace else None,
            workspace_prefix=workspace.prefix if workspace else None,
        )
    )


def _talk_to(url: str, out: Output) -> None:
    """Let later commands find this server, without taking a person's server elsewhere away from them."""
    setting = BY_NAME["server"]
    settings = session.settings(Invocation())
    if settings.server == url:
        return
    if settings.origins["server"] is Origin.DEFAULT or _is_here(settings.server):
        set_user(setting, url)
    if session.settings(Invocation()).server != url:
        out.note(
            f"Commands talk to {settings.server}, not to this server. To change that: locus config set server {url}"
        )


def _is_here(server: str) -> bool:
    from urllib.parse import urlsplit

    return is_loopback(urlsplit(server).hostname or "")


def _record(serving: hosting.Serving, detach: bool) -> hosting.Record:
    ready = serving.ready
    stored = credentials.stored(ready.url)
    owner = None if detach else os.getpid()
    return hosting.Record(
        pid=serving.process.pid,
        started=hosting.start_time(serving.process.pid),
        url=ready.url,
        data=ready.data if ready.database == "embedded" else "the PostgreSQL of DATABASE_URL",
        log=str(serving.log),
        version=ready.version,
        workspace=stored.workspace_name if stored else None,
        owner=owner,
        owner_started=hosting.start_time(owner) if owner else None,
    )


def _new_link(running: hosting.Record, places: Directories) -> str | None:
    """A link for the server that runs already; None when its database has no place for one."""
    data, environ = running.data, hosting.server_environment(os.environ, places.data)
    try:
        return hosting.sign_in_link(running.url, data=data if Path(data).is_absolute() else None, environ=environ)
    except LocalError:
        return None


def _tell(out: Output, record: hosting.Record, sign_in: str | None, *, started: bool, detached: bool) -> None:
    if out.json_wanted:
        out.json(
            Answer(
                url=record.url,
                api_page=f"{record.url}/api/docs",
                workspace=record.workspace,
                data=record.data,
                log=record.log,
                pid=record.pid,
                version=record.version,
                started=started,
                detached=detached,
                sign_in=sign_in,
            )
        )
        return
    out.line(Cell("✓ ", "green"), "Locus runs at ", Cell(record.url, "bold"), "" if started else "  (it ran already)")
    if sign_in:
        out.line(Cell("  Sign in    ", "dim"), "once, within 10 minutes:")
        out.whole(sign_in)
    rows = [
        ("API", f"{record.url}/api/docs"),
        ("Workspace", record.workspace or "choose one: locus config set workspace NAME"),
    ]
    rows += [("Data", record.data), ("Log", record.log)]
    for name, value in rows:
        out.line(Cell(f"  {name:<11}", "dim"), value, under=13)
    if VARIABLE in os.environ:
        out.note(f"{VARIABLE} is set: commands use it in place of the key that was kept for this server.")
    if not started:
        return
    out.note()
    out.note("In your repository, next:")
    for step, why in NEXT_STEPS:
        out.note(f"  {step:<40}{why}")
    out.note()
    out.note("It runs until `locus down`." if detached else "Ctrl+C stops it.")


def _stay(serving: hosting.Serving, record: hosting.Record, places: Directories, out: Output) -> int:
    """Wait for the server's end; a signal to us asks it to end, a second one does not ask."""
    asked = 0

    def stop(number: int, _: object) -> None:
        nonlocal asked
        asked += 1
        # A second Ctrl+C does not wait for requests that are being answered.
        serving.process.send_signal(signal.SIGTERM if asked == 1 else signal.SIGKILL)

    for number in heeded():
        signal.signal(number, stop)
    try:
        code = serving.process.wait()
    finally:
        hosting.forget(places.state, record)
    if asked or code in (0, -signal.SIGTERM):  # the latter: by `locus down`
        # The terminal has just printed ^C.
        out.note("\r" if out.terminal else "", "Stopped. Your data stays in ", record.data, ".")
        return 0
    raise serving.ended()
