"""Writes the manual page from the commands themselves: `python -m locus.cli.manual > docs/locus.1`."""

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from locus.cli.main import root
from locus.cli.overview import EXAMPLES, GLOBAL_FLAGS, SECTIONS

TITLE = '.TH LOCUS 1 "" "Locus" "User commands"'
NAME = "locus \\- project management for coding agents"
ABOUT = (
    "Locus is split in two. A control plane holds the plan: sprints, tasks, who works on what. Your machine holds the"
    " source, and starts the agents; between the two cross ids, numbers and what you write, never your code."
)
FILES = (
    (".locus/config.toml", "what a repository says of itself: checks, limits, protected files"),
    (".locus/LEARNINGS.md", "what every agent reads before its task"),
    ("~/.config/locus/", "your settings and keys (LOCUS_CONFIG_DIR)"),
    ("~/.local/state/locus/", "clones, transcripts, sessions, plans and the log of what left (LOCUS_STATE_DIR)"),
)
VARIABLES = (
    ("LOCUS_SERVER, LOCUS_WORKSPACE, …", "settings: `locus config list` names all of them"),
    ("LOCUS_API_KEY", "key for the control plane, in place of the stored one"),
    ("LOCUS_CONFIG_DIR, LOCUS_STATE_DIR, LOCUS_DATA_DIR", "where settings and keys, work and logs, and databases are"),
    ("LOCUS_DEBUG", "1 shows the trace of an unexpected error"),
    ("NO_COLOR", "no colours"),
)
EXITS = (
    ("0", "done"),
    ("1", "failed; the message says what to do"),
    ("2", "wrong usage"),
    ("3", "not signed in"),
    ("4", "the control plane cannot be reached"),
    ("129", "the terminal was closed"),
    ("130", "interrupted with Ctrl+C"),
    ("141", "the reader of the output went away"),
    ("143", "ended by SIGTERM"),
)


def text() -> str:
    """The whole page, as troff."""
    lines = [TITLE, ".SH NAME", NAME, ".SH SYNOPSIS", ".B locus", ".I COMMAND", "[ARGUMENTS]"]
    lines += [".SH DESCRIPTION", plain(ABOUT)]
    for title, commands in SECTIONS:
        lines += [f".SH {plain(title).upper()}"]
        for name, _ in commands:
            found = root.get_command(click.Context(root), name)
            assert found is not None
            lines += _command(found, f"locus {name}")
    lines += [".SH OPTIONS OF EVERY COMMAND", *_pairs(GLOBAL_FLAGS)]
    lines += [".SH EXAMPLES", *(part for line, does in EXAMPLES for part in _pair(line, f"{does}."))]
    lines += [".SH FILES", *_pairs(FILES), ".SH ENVIRONMENT", *_pairs(VARIABLES)]
    lines += [".SH EXIT STATUS", *_pairs(EXITS)]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, path: str) -> Iterator[str]:
    ctx = click.Context(command)
    arguments = " ".join(param.make_metavar(ctx) for param in command.params if isinstance(param, click.Argument))
    yield f".SS {plain(f'{path} {arguments}'.strip())}"
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            body = [plain(line) for line in paragraph.replace("\b", "").strip("\n").splitlines() if line.strip()]
            yield from (".PP", ".nf", *body, ".fi")
        else:
            yield from (".PP", plain(" ".join(paragraph.split())))
    for param in command.params:
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is not None:
            yield from _pair(*record)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from _command(found, f"{path} {name}")


def _pairs(pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, meaning in pairs:
        yield from _pair(term, meaning)


def _pair(term: str, meaning: str) -> tuple[str, str, str]:
    return ".TP", f".B {plain(term)}", plain(meaning)


def plain(line: str) -> str:
    """Text that troff prints as it is, whatever encoding it takes its input for."""
    escaped = line.replace("\\", "\\e").replace("-", "\\-").replace("’", "'").replace('"', "\\(dq")
    escaped = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(text())
