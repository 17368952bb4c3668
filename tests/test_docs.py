"""What the documents say is so: their commands parse, their links lead somewhere, their settings exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from locus.cli.invocation import Invocation
from locus.cli.main import root

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for path in (*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")) if not path.is_symlink()
)
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


GENERATED = "docs/reference.md"  # made from the commands themselves, with placeholders for their arguments


def names() -> list[str]:
    return [str(path.relative_to(REPOSITORY)) for path in DOCUMENTS]


def commands(text: str) -> Iterator[str]:
    """Every command line of `locus` in fences and in code within a sentence."""
    for block in FENCE.findall(text):
        yield from (line.strip() for line in block.splitlines() if line.strip().startswith("locus "))
    for code in CODE.findall(FENCE.sub("", text)):
        if code.startswith("locus ") and "…" not in code:
            yield code


def parse(line: str) -> None:
    """Parse a command line as `locus` would, and run nothing. Raises UsageError."""
    arguments = shlex.split(line, comments=True)[1:]
    ctx = root.make_context("locus", arguments, obj=Invocation())
    group: click.Group = root
    while True:
        rest = [*ctx._protected_args, *ctx.args]
        if not rest:
            return
        name, found, rest = group.resolve_command(ctx, rest)
        assert found is not None
        ctx = found.make_context(name, rest, parent=ctx, obj=Invocation())
        if not isinstance(found, click.Group):
            return
        group = found


def as_typed(line: str) -> str:
    """Words in capitals stand for something; a number is something for every one of them."""
    return re.sub(r"\bN\b", "1", re.sub(r"\bKEY\b", "WEB-1", line))


@pytest.mark.parametrize("name", [name for name in names() if name != GENERATED])
def test_every_command_in_a_document_is_one(name: str) -> None:
    wrong = []
    for line in commands((REPOSITORY / name).read_text()):
        try:
            parse(as_typed(line))
        except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):  # --help, --version, a group by its name
            pass
        except click.MissingParameter as error:
            assert error.ctx is not None
            if error.ctx.command_path != line:  # a command that is only named needs no arguments
                wrong.append(f"{line}: {error.format_message()}")
        except click.UsageError as error:
            wrong.append(f"{line}: {error.format_message()}")

    assert wrong == []


@pytest.mark.parametrize("name", names())
def test_every_link_in_a_document_leads_to_a_file(name: str) -> None:
    document = REPOSITORY / name

    dead = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]

    assert dead == []


def test_the_commands_of_the_documents_are_found_at_all() -> None:
    found = [line for name in ("README.md", "docs/quickstart.md") for line in commands((REPOSITORY / name).read_text())]

    assert "locus run" in found
    assert len(found) > 20


def test_a_flag_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse("locus tasks add Something --sprnit active")
