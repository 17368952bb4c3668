"""`locus demo`: a sprint from its tasks to a branch with commits, on a small real project in a folder of its own."""

import asyncio
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import click

from locus.cli import frame
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.local.demo import plan
from locus.local.demo.place import Place, agent_command
from locus.local.errors import LocalError
from locus.local.evidence.checks import CheckResult
from locus.local.sandbox import NoSandbox, probe

BRANCH = "locus/sprint-1"


@frame.command("demo")
@click.option(
    "--provider",
    type=click.Choice(["scripted", "claude", "codex"]),
    default="scripted",
    show_default=True,
    help="Agent that does the work. `scripted` needs no model: it is a program that really edits the files.",
)
@click.option("--model", metavar="NAME", help="Model for a real agent.")
@click.option("--keep", is_flag=True, help="Leave the server running and its database in place.")
@click.pass_obj
def command(here: Invocation, provider: str, model: str | None, keep: bool) -> int:
    """Watch a sprint being worked off, in a temporary folder.

    It builds a small Python project with red tests and a bare remote, starts a server with a PostgreSQL of its own,
    plans a sprint, and runs a worker on it. Nothing of yours is touched.
    """
    if here.json:
        raise click.UsageError("`demo` is for eyes; for programs there is `locus run --json`.")
    out = Output(here)
    place = Place(Path(tempfile.mkdtemp(prefix="locus-demo-")), dict(os.environ))
    # PostgreSQL runs as another account when this is root; it has to get through here.
    place.root.chmod(0o711)
    with _inside(place):
        try:
            return _show(out, place, provider, model)
        finally:
            _tidy(out, place, keep=keep)


def _show(out: Output, place: Place, provider: str, model: str | None) -> int:
    _title(out, "1  A project with red tests, and its remote")
    asyncio.run(place.build())
    before = asyncio.run(place.checks(place.project))
    out.line(f"   {place.project}")
    _checks(out, before)

    _title(out, "2  A server, with a PostgreSQL of its own")
    _locus(out, "up", "--quiet", "--detach", "--port", "0", "--workspace", "Invoices")

    _title(out, "3  A sprint of tasks")
    _locus(out, "sprints", "add", plan.SPRINT, "--goal", plan.GOAL)
    _plan(out)
    _locus(out, "sprints", "start", "1")

    _title(out, "4  A worker")
    _walls(out, place)
    if provider == "scripted":
        out.line("   The agent is scripted: a program, not a model. Its edits, the checks and the commits are real.")
        os.environ["LOCUS_AGENT_COMMAND"] = shlex.join(agent_command())
    chosen = ["--provider", "command" if provider == "scripted" else provider]
    code = _locus(
        out, "-C", str(place.project), "run", "--yes", "--verbose", *chosen, *(["--model", model] if model else [])
    )

    _title(out, "5  What came of it")
    _locus(out, "tasks", "list", "--sprint", "1")
    _result(out, place, before)
    return code


def _walls(out: Output, place: Place) -> None:
    """Keep the agent in the sandbox where one can be made; say so where not: the demo is for every machine."""
    try:
        asyncio.run(probe(os.environ))
    except NoSandbox as missing:
        out.line(f"   Without the sandbox, so the agent works with your rights. {missing.message}")
        os.environ["LOCUS_SANDBOX"] = "off"
    else:
        os.environ["LOCUS_SANDBOX_READ"] = shlex.quote(str(place.solutions))


def _plan(out: Output) -> None:
    """Write the tasks, with the same command that a person would use."""
    keys: dict[str, str] = {}
    for task in plan.TASKS:
        arguments = ["tasks", "add", task.title, "--sprint", "1", "--priority", task.priority.value.lower()]
        arguments += ["--role", task.role.value.lower(), "--check", task.check, "--item", task.criterion]
        for label in task.labels:
            arguments += ["--label", label]
        for check in task.after:
            arguments += ["--after", keys[check]]
        said = StringIO()
        with redirect_stdout(said):
            _run([*arguments, "--description", task.description, "--json"])
        keys[task.check] = json.loads(said.getvalue())["key"]
        out.line(Cell(f"   $ locus {shlex.join(arguments)}", "dim"))
        out.line(f"   {keys[task.check]}")


def _result(out: Output, place: Place, before: Sequence[CheckResult]) -> None:
    try:
        asyncio.run(place.check_out_result(BRANCH))
    except LocalError as e:
        out.line(f"   There is no branch to look at: {e.message}")
        return
    log = ["log", "--graph", "--format=%h %<(32,trunc)%s %(trailers:key=Evidence,valueonly,separator=%x20)", BRANCH]
    out.line("")
    out.line(Cell(f"   $ git log {BRANCH}", "dim"))
    for line in asyncio.run(place.git(*log, cwd=place.remote)).splitlines():
        out.line(f"   {line}")
    out.line("")
    out.line(Cell("   The checks, before and on the sprint's branch", "dim"))
    after = asyncio.run(place.checks(place.result))
    columns = [Column("   check"), Column("before"), Column("now")]
    rows: list[list[str | Cell]] = []
    for was, now in zip(before, after, strict=True):
        rows.append([f"   {was.check.name}", _mark(was), _mark(now)])
    out.table(columns, rows)


def _tidy(out: Output, place: Place, *, keep: bool) -> None:
    _title(out, "Where things are")
    things = {
        "project": (place.project, "on main, untouched"),
        "remote": (place.remote, f"branch {BRANCH}"),
        "result": (place.result, "a clone of the branch"),
        "transcripts": (place.root / "state" / "attempts", "with prompts and what the checks printed"),
        "pull request": (place.root / "state" / "pull-requests", "its description: this remote has no forge"),
    }
    for name, (path, remark) in things.items():
        if path.exists():
            out.line(f"   {name:<14}{path}  ({remark})", under=17)
    if keep:
        names = " ".join(f"{name}={shlex.quote(value)}" for name, value in place.variables.items())
        out.line("")
        out.line("   The server is running. To look at it, and to stop it:")
        out.whole(f" {names} locus status")
        out.whole(f" {names} locus down")
        return
    with redirect_stdout(StringIO()):
        _run(["down"])
    shutil.rmtree(place.root / "data", ignore_errors=True)
    out.line("")
    out.line("   The server is stopped and its database removed. The rest goes with:")
    out.whole(f" rm -rf {shlex.quote(str(place.root))}")


def _title(out: Output, text: str) -> None:
    out.line("")
    out.line(Cell(text, "bold"))


def _checks(out: Output, results: Sequence[CheckResult]) -> None:
    for result in results:
        out.line("   ", _mark(result), f"  {result.check.name}")


def _mark(result: CheckResult) -> Cell:
    return Cell(f"✓ {result.why}", "green") if result.passed else Cell("✗ red", "red")


def _locus(out: Output, *arguments: str) -> int:
    out.line(Cell(f"   $ locus {shlex.join(arguments)}", "dim"))
    return _run(list(arguments))


def _run(arguments: list[str]) -> int:
    """Run a command of ours as if it had been typed."""
    from locus.cli.main import run

    code = run(arguments)
    if code not in (0, 1):
        raise LocalError(f"`locus {shlex.join(arguments)}` ended with {code}.")
    return code


@contextmanager
def _inside(place: Place) -> Iterator[None]:
    """Let every command of the demo keep its things in the demo's folder, and none hear of the user's server."""
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("LOCUS_") or name in ("DATABASE_URL", "GITHUB_TOKEN", "GH_TOKEN"):
            del os.environ[name]
    os.environ.update(place.variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
