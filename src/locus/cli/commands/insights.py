"""`locus insights`: what discussions came to, to read, edit and take along."""

from pathlib import Path

import click
import msgspec

from locus.cli import editor, words
from locus.cli.beside.stage import folder
from locus.cli.beside.talking import STYLES, tell_insights
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.cli.params import OneOf
from locus.cli.run.agent_words import count
from locus.cli.text import ago
from locus.local import files
from locus.local.discussion.insights import Draft, Insight, Insights, Kind, relevant
from locus.local.errors import LocalError, Usage

INSIGHT = click.argument("insight", metavar="ID")


@group("insights", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read, edit and export what discussions came to. Alone it lists them.

    Insights are kept on this machine. Those that share words with a plan's goal or a task are told to its agent.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.option("--kind", "-k", type=OneOf(Kind), multiple=True, help="Only this kind; repeatable.")
@click.option("--tag", "-t", metavar="WORD", help="Only with this tag.")
@click.option("--about", metavar="TEXT", help="What an agent would be told for this text, closest first.")
@click.pass_obj
def list_(here: Invocation, kind: tuple[Kind, ...] = (), tag: str | None = None, about: str | None = None) -> None:
    """List insights, oldest first."""
    out = Output(here)
    found = Insights(folder(here)[1]).all()
    if about is not None:
        found = relevant(found, about)
    found = [one for one in found if (not kind or one.kind in kind) and (tag is None or tag in one.tags)]
    if here.json:
        out.json(found)
    elif not found and (kind or tag is not None or about is not None):
        out.note("No insight is like that. All of them: locus insights")
    else:
        tell_insights(out, found)


@_command("show")
@INSIGHT
@click.pass_obj
def show(here: Invocation, insight: str) -> None:
    """Show an insight."""
    out = Output(here)
    found = Insights(folder(here)[1]).find(insight)
    if here.json:
        out.json(found)
        return
    out.line(f"{found.id}  ", Cell(found.kind.value, STYLES[found.kind]), Cell(f"  {found.title}", "bold"))
    out.text(found.text)
    tags = f"{', '.join(found.tags)}; " if found.tags else ""
    out.note(f"{tags}{ago(found.updated_at)}")


@_command("add")
@click.argument("title")
@click.option("--kind", "-k", type=OneOf(Kind), default=Kind.DECISION.value, help="Its kind; a decision if left out.")
@click.option("--text", metavar="TEXT", help="What it says; `-` reads standard input. The title, if left out.")
@click.option("--tag", "-t", "tags", metavar="WORD", multiple=True, help="A tag; repeatable.")
@click.pass_obj
def add(here: Invocation, title: str, kind: Kind, text: str | None, tags: tuple[str, ...]) -> None:
    """Write an insight down yourself."""
    out = Output(here)
    draft = _checked({"kind": kind.value, "title": title, "text": words.message(text) or title, "tags": list(tags)})
    added = Insights(folder(here)[1]).add([draft])
    if not added:
        raise LocalError("An insight says the same already.", remedy="See: locus insights list")
    if here.json:
        out.json(added[0])
    else:
        out.line(added[0].id)


@_command("edit")
@INSIGHT
@click.option("--kind", "-k", type=OneOf(Kind), help="Its kind.")
@click.option("--title", metavar="TEXT", help="Its title.")
@click.option("--text", metavar="TEXT", help="What it says; `-` reads standard input.")
@click.option("--tag", "-t", "tags", metavar="WORD", multiple=True, help="Its tags from now on; repeatable. '': none.")
@click.pass_obj
def edit(
    here: Invocation, insight: str, kind: Kind | None, title: str | None, text: str | None, tags: tuple[str, ...]
) -> None:
    """Change an insight. Flags name what to change; without any, title and text open in your editor."""
    out = Output(here)
    insights = Insights(folder(here)[1])
    found = insights.find(insight)
    draft = None
    if title is not None and not title.strip():
        raise click.UsageError("The title is empty; leave out --title to keep it.")
    if kind is None and title is None and text is None and not tags:
        hint = "The first line is the title, the rest what it says."
        draft = editor.compose(f"{found.title}\n\n{found.text}", name=f"insight-{found.id}", hint=hint)
        title, text = editor.split_title(draft.text)
    with editor.kept(draft):
        new = _checked(
            {
                "kind": (kind or found.kind).value,
                "title": title or found.title,
                "text": words.message(text) or found.text,
                "tags": [one for one in tags if one] if tags else found.tags,
            }
        )
        found.kind, found.title, found.text, found.tags = new.kind, new.title, new.text, new.tags
        insights.change(found)
    if here.json:
        out.json(found)
    else:
        out.note(f"Changed {found.id}.")


@_command("delete")
@click.argument("insights", metavar="ID…", nargs=-1, required=True)
@click.pass_obj
def delete(here: Invocation, insights: tuple[str, ...]) -> None:
    """Forget insights."""
    out = Output(here)
    store = Insights(folder(here)[1])
    found = [store.find(insight) for insight in insights]  # all are found before one is deleted
    for one in found:
        store.delete(one)
    if here.json:
        out.json({"deleted": [one.id for one in found]})
    else:
        out.note(f"Deleted {count(len(found), 'insight')}.")


@_command("export")
@click.argument("path", required=False, metavar="[FILE]")
@click.pass_obj
def export(here: Invocation, path: str | None) -> None:
    """Write all insights as Markdown, to FILE or to standard output; with --json as JSON."""
    out = Output(here)
    found = Insights(folder(here)[1]).all()
    text = msgspec.json.format(msgspec.json.encode(found)).decode() + "\n" if here.json else markdown(found)
    if path is None:
        click.echo(text, nl=False)
        return
    target = here.cwd / path
    if target.exists():
        raise Usage(f"{target} exists already.", remedy="Name another file, or remove it first.")
    files.write(Path(target), text, mode=0o644)
    out.note(f"Wrote {count(len(found), 'insight')} to {target}.")


def markdown(insights: list[Insight]) -> str:
    """Insights for people, by kind."""
    parts = ["# Insights"]
    for kind in Kind:
        those = [one for one in insights if one.kind is kind]
        if those:
            parts.append(f"## {kind.value.capitalize()}s")
            parts += [f"### {one.title}\n\n{one.text.strip()}" for one in those]
    return "\n\n".join(parts) + "\n"


def _checked(fields: dict[str, object]) -> Draft:
    try:
        return msgspec.convert(fields, Draft)
    except msgspec.ValidationError as e:
        raise Usage(f"An insight cannot be like this: {e}.", remedy="Make it shorter, or plainer.") from e


for part in (list_, show, add, edit, delete, export):
    command.add_command(part)
