"""`locus index`: the map of the codebase that goes into prompts, to build, look at and ask."""

import os
from pathlib import Path

import click
from msgspec import Struct

from locus.cli import session
from locus.cli.beside.stage import folder
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.run.agent_words import count
from locus.local import project
from locus.local.codemap import listing
from locus.local.codemap.draw import shown
from locus.local.codemap.overview import Overview, Part, overview
from locus.local.codemap.owners import owners
from locus.local.codemap.refresh import MOST_FILES, Refreshed, refresh
from locus.local.codemap.store import Damaged, Store, opened
from locus.local.codemap.told import ranked
from locus.local.git.trouble import GitError
from locus.local.known_files import TEST_FILES

SHOWN_ENTRIES = 20
MANY = 1_000  # files that take so long to read that a person wants to know


class Stats(Struct, frozen=True):
    """What `locus index --stats` says. `bytes` is the size of the index, `seconds` what bringing it up to date took."""

    files: int
    lines: int
    definitions: int
    languages: dict[str, int]
    unread: dict[str, int]
    left_out: int
    bytes: int
    path: str
    seconds: float


class Map(Struct, frozen=True):
    """What `locus index --query` says."""

    query: str
    budget: int
    tokens: int
    files: tuple[str, ...]
    map: str


@_command("index")
@click.option("--show", is_flag=True, help="Show languages, modules, where programs begin, tests and owners.")
@click.option("--stats", is_flag=True, help="Show how much there is in the index, and what is not.")
@click.option("--query", metavar="TEXT", help="Show the map that a prompt about TEXT would get.")
@click.option("--budget", type=click.IntRange(100, 20_000), metavar="N", help="Tokens the map may take, about.")
@click.pass_obj
def command(here: Invocation, show: bool, stats: bool, query: str | None, budget: int | None) -> None:
    """Bring the map of this codebase up to date, look at it, or ask it.

    The map tells an agent which files a task concerns, and what they define. It is made of what git tracks and of new
    files, less what .gitignore and .locusignore name; it is kept on this machine, and only its part that fits a task
    goes into a prompt.

    \b
    Examples:
      locus index --show
      locus index --query "People can reset their password"
    """
    if sum((show, stats, query is not None)) > 1:
        raise click.UsageError("Use one of --show, --stats and --query.")
    if budget is not None and query is None:
        raise click.UsageError("--budget goes with --query.")
    if query is not None and not query.strip():
        raise click.UsageError('Say what the map is to be about: locus index --query "…"')
    try:
        _answer(here, show=show, stats=stats, query=query, budget=budget)
    except Damaged:
        _answer(here, show=show, stats=stats, query=query, budget=budget)  # from a new one


def _answer(here: Invocation, *, show: bool, stats: bool, query: str | None, budget: int | None) -> None:
    out = Output(here)
    root, ours = folder(here)
    settings = session.settings(here)
    ours.make()
    with opened(ours.index) as store:
        paths = session.run(listing.of_checkout(root, os.environ))
        done = session.run(refresh(store, root, paths, begins=lambda number: _tell_begin(out, number)))
        if query is not None:
            tokens = budget or settings.index_budget
            drawn = ranked(store, root, query, budget=tokens)
            _tell_map(here, out, Map(query, tokens, drawn.tokens, tuple(map(shown, drawn.files)), drawn.text))
        elif show:
            _tell_overview(here, out, _look(out, store, root))
        elif stats:
            _tell_stats(here, out, _stats(store, root, done, ours.index))
        else:
            _tell_refreshed(here, out, done)


def _tell_begin(out: Output, number: int) -> None:
    if out.terminal and number >= MANY:
        out.note(f"Reading {number:,} files, once …")


def _tell_refreshed(here: Invocation, out: Output, done: Refreshed) -> None:
    if here.json:
        out.json(done)
        return
    changed = (
        f"{count(done.read, 'file')} read, {done.removed} gone" if done.read or done.removed else "nothing changed"
    )
    out.line(f"{count(done.files, 'file')} in the index; {changed}; {done.seconds:.1f} s.")
    _tell_left_out(out, done.left_out)
    out.note('See it: locus index --show. Ask it: locus index --query "what a task is about"')


def _tell_left_out(out: Output, left_out: int) -> None:
    if left_out:
        out.note(f"{count(left_out, 'file')} more are left out: the map has room for {MOST_FILES}.")


def _tell_map(here: Invocation, out: Output, found: Map) -> None:
    if here.json:
        out.json(found)
    elif found.map:
        out.text(found.map)
        out.note(f"{count(len(found.files), 'file')}, about {found.tokens} tokens.")
    else:
        out.note("Nothing here has to do with that. Use words that the code would use.")


def _look(out: Output, store: Store, root: Path) -> Overview:
    try:
        people = session.run(owners(root, os.environ))
    except GitError as e:
        people = {}
        out.note(f"Who owns what is not known: {e.message}")
    patterns = [pattern for check in project.load(root).checks for pattern in check.test_files]
    return overview(store, root, people, tests=tuple(dict.fromkeys([*patterns, *TEST_FILES])))


def _tell_overview(here: Invocation, out: Output, found: Overview) -> None:
    if here.json:
        out.json(found)
        return
    if not found.files:
        out.note("There are no files here yet.")
        return
    numbers = [Column("FILES", right=True), Column("LINES", right=True), Column("DEFINED", right=True)]
    tests = Column("TESTS", right=True)
    out.table(
        [Column("LANGUAGE", grows=True), *numbers, tests],
        [[Cell(part.name, "bold"), *_numbers(part)] for part in found.languages],
    )
    if found.modules:
        out.line("")
        out.table(
            [*numbers, tests, Column("MODULE", grows=True, path=True), Column("OWNER", grows=True)],
            [[*_numbers(part), Cell(part.name, "bold"), _owner(part)] for part in found.modules],
        )
    if found.more_modules:
        out.note(f"… and {count(found.more_modules, 'smaller module')}.")
    if found.entry_points:
        out.line("")
        out.table(
            [Column("BEGINS"), Column("WHERE", grows=True, path=True), Column("WHAT", grows=True)],
            [
                ["as declared" if entry.declared else "by its name", Cell(entry.path, "bold"), entry.starts]
                for entry in found.entry_points[:SHOWN_ENTRIES]
            ],
        )
    if len(found.entry_points) > SHOWN_ENTRIES:
        out.note(f"… and {len(found.entry_points) - SHOWN_ENTRIES} more.")


def _numbers(part: Part) -> list[str]:
    return [f"{part.files:,}", f"{part.lines:,}", f"{part.definitions:,}", f"{part.tests:,}" if part.tests else ""]


def _owner(part: Part) -> str:
    return f"{part.owner} {part.share:.0%}" if part.owner is not None and part.share is not None else ""


def _stats(store: Store, root: Path, done: Refreshed, path: Path) -> Stats:
    found = overview(store, root, {})
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    return Stats(
        files=found.files,
        lines=found.lines,
        definitions=found.definitions,
        languages={part.name: part.files for part in found.languages},
        unread=dict(found.unread),
        left_out=done.left_out,
        bytes=size,
        path=str(path),
        seconds=done.seconds,
    )


def _tell_stats(here: Invocation, out: Output, found: Stats) -> None:
    if here.json:
        out.json(found)
        return
    named = ", ".join(f"{language} {files:,}" for language, files in found.languages.items())
    unread = ", ".join(f"{reason} {files:,}" for reason, files in found.unread.items())
    rows = [
        ("Files", f"{found.files:,}" + (f" ({named})" if named else "")),
        ("Known by name alone", unread or "none"),
        ("Lines", f"{found.lines:,}"),
        ("Definitions", f"{found.definitions:,}"),
        ("Index", f"{found.bytes / 1e6:.1f} MB, {found.path}"),
        ("Brought up to date", f"in {found.seconds:.2f} s"),
    ]
    width = max(len(name) for name, _ in rows) + 2
    for name, said in rows:
        out.line(Cell(f"{name:<{width}}", "dim"), said, under=width)
    _tell_left_out(out, found.left_out)
