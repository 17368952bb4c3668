"""Writes the reference from commands and tables themselves: `python -m locus.cli.reference > docs/reference.md`."""

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from locus.cli.frame import GLOBAL
from locus.cli.main import root
from locus.cli.overview import SECTIONS
from locus.local.settings import TABLE, Setting

HEAD = """\
# Reference

Written by `python -m locus.cli.reference`; a test keeps it true. `locus COMMAND --help` says the same.

## Exit codes

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | failed; the message says what to do |
| 2 | wrong usage: a command, a flag or a value that does not exist |
| 3 | not signed in, or the key is not valid any more |
| 4 | the control plane cannot be reached |
| 129 | the terminal was closed |
| 130 | interrupted with Ctrl+C |
| 141 | the reader of the output went away |
| 143 | ended by SIGTERM, which `locus run` and `locus review-hold --approve` answer by parking their work first |

With `--json` the answer is one JSON document on standard output, in the types of `docs/wire.json` where they fit, and
an error is one problem document (RFC 9457) on standard error.

## Flags that every command takes

"""
FILES = """\
## Settings

The first of these that has a value wins: flag, `LOCUS_…` variable, `.locus/config.toml` of the repository, your own
`settings.toml`, default. `locus config list` shows what is in force and where it comes from.

"""
PROJECT = """\
Some may not stand in a repository:

"""
PLACES = """\
Variables that are no settings:

| Variable | Meaning |
|---|---|
| `LOCUS_API_KEY` | key for the control plane, in place of the stored one |
| `LOCUS_CONFIG_DIR` | where `settings.toml` and `credentials.json` are |
| `LOCUS_STATE_DIR` | where logs, transcripts, clones and drafts are |
| `LOCUS_DATA_DIR` | where the database of `locus up` is |
| `LOCUS_DEBUG` | `1` shows the trace of an unexpected error |
| `NO_COLOR` | no colours |
| `VISUAL`, `EDITOR` | editor for long text |
| `HTTPS_PROXY`, `NO_PROXY` | proxy for a control plane on another machine |
| `SSL_CERT_FILE` | certificate authorities to trust in place of the usual ones |

## The repository's file

`.locus/config.toml`, beside the settings above:

| Key | Meaning |
|---|---|
| `checks.NAME.run` | command that must succeed before a task may be reviewed |
| `checks.NAME.timeout` | seconds it may take; 600 if left out |
| `checks.NAME.tests` | regular expression whose first group counts the executed tests; none executed is red |
| `checks.NAME.junit` | report that the command writes anew, in JUnit's form; the tests in it count instead |
| `checks.NAME.min_tests` | fewest tests that are green; a count that nobody knows is red |
| `checks.NAME.always` | false: only for tasks whose checklist names the check; true if left out |
| `checks.NAME.needs` | checks that come first; when one of them is red, this one is not run |
| `checks.NAME.paths` | patterns of files; the check runs only for a change that touches one of them |
| `checks.NAME.test_files` | patterns of what counts as a test where one must be red first; replaces the usual names |
| `worktree.copy` | files of your checkout that the agent's tree gets, although git does not know them |
| `worktree.setup` | commands that make a fresh tree ready |
| `protected.paths` | files whose change waits for a person; giving the list replaces the default: `.locus/`, \
what runs in CI or at a commit, what agents are told, what test runners read first, lock files and `.gitmodules` |
| `protected.tests` | false: a change that weakens tests, or how they are run, need not wait; true if left out |
| `review.required` | true: a review by an agent that did not write the change must be green for every task |
| `review.tokens` | how much of a change a reviewer is shown, about; a longer one is not green; 60000 if left out |

## Commands
"""


def text() -> str:
    """The whole page."""
    lines = [HEAD + _flags(GLOBAL), FILES + _settings(), PROJECT + _refused(), PLACES]
    for title, commands in SECTIONS:
        lines.append(f"### {title}\n")
        for name, _ in commands:
            found = root.get_command(click.Context(root), name)
            assert found is not None
            lines += _command(found, f"locus {name}")
    return "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, path: str) -> Iterator[str]:
    ctx = click.Context(command)
    arguments = " ".join(
        param.make_metavar(ctx) for param in command.params if isinstance(param, click.Argument) and not _is_rest(param)
    )
    yield f"#### `{f'{path} {arguments}'.rstrip()}`\n"
    yield _paragraphs(cleandoc(command.help or "")) + "\n"
    if options := [param for param in command.params if isinstance(param, click.Option)]:
        yield _flags(options)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from _command(found, f"{path} {name}")


def _is_rest(argument: click.Argument) -> bool:
    return argument.type is click.UNPROCESSED


def _paragraphs(help_: str) -> str:
    return "\n\n".join(_paragraph(part) for part in help_.replace("\f", "").split("\n\n"))


def _paragraph(part: str) -> str:
    if not part.lstrip().startswith("\b"):
        return " ".join(part.split())
    lines = part.replace("\b", "").strip("\n").splitlines()  # click's mark for lines that stay as they are
    return "\n".join(["```", *lines, "```"])


def _flags(options: "tuple[click.Option, ...] | list[click.Option]") -> str:
    ctx = click.Context(root)
    records = [record for option in options if (record := option.get_help_record(ctx)) is not None]
    rows = [f"| `{names.replace('|', chr(92) + '|')}` | {doc.replace('|', chr(92) + '|')} |" for names, doc in records]
    return "\n".join(["| Flag | Meaning |", "|---|---|", *rows]) + "\n"


def _settings() -> str:
    rows = [
        f"| `{s.name}` | {s.doc} | {s.kind.allows} | {_default(s)} | {_code(s.variable)} | {_code(s.project)} |"
        for s in TABLE
    ]
    head = "| Name | What it is | Value | Default | Variable | In `.locus/config.toml` |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows]) + "\n"


def _refused() -> str:
    return "\n".join(f"- `{s.name}`: {s.why_not}." for s in TABLE if s.why_not) + "\n"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "–"
    return f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "–"


if __name__ == "__main__":
    sys.stdout.write(text())
