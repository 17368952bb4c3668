"""`locus exec -i`: a conversation at the terminal, with history, several lines and an interrupt that keeps it."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent

from locus.cli import session as sessions
from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.reply import forgotten, remedy, reply, where, why
from locus.cli.beside.stage import Stage
from locus.cli.invocation import Invocation
from locus.cli.output import Output, is_terminal
from locus.cli.run.agent_words import count, money, spent
from locus.local.errors import LocalError
from locus.local.providers.base import Ending
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session

COMMANDS = {
    "/help": "what you can type",
    "/new": "begin a new session",
    "/session": "which session this is, and what it has used",
    "/exit": "leave; the session is kept",
}
KEYS = "Enter sends, Alt+Enter or Ctrl+J begins a new line, Ctrl+C interrupts the agent, Ctrl+D leaves."
MOST_NAMES = 200  # that are offered when a path is being typed
PROMPT = "› "


def converse(here: Invocation, stage: Stage, going_on: str | None, *, stream: bool = True) -> int:
    """Talk until the person leaves. Raises UsageError when there is no terminal to talk at."""
    if not (is_terminal() and os.isatty(0)):
        raise click.UsageError('-i needs a terminal. Without one: locus exec "…", then locus exec -s ID "…"')
    session = stage.shelf.find(going_on) if going_on else stage.session()
    return sessions.run(_converse(here, stage, session, stream=stream))


async def _converse(here: Invocation, stage: Stage, session: Session, *, stream: bool) -> int:
    out = Output(here)
    stage.folder.make()
    stage.folder.history.touch(mode=0o600)
    typing: PromptSession[str] = PromptSession(
        history=FileHistory(str(stage.folder.history)),
        completer=Names(stage.root, COMMANDS),
        complete_while_typing=False,
        key_bindings=keys(),
        multiline=True,
        prompt_continuation="  ",
    )
    out.line(where(stage))
    out.line(f"{KEYS} /help tells more.")
    voice.print_all(out, forgotten(session))
    async with stage.desk(out.note) as desk:
        while True:
            try:
                asked = (await typing.prompt_async(PROMPT)).strip()
            except KeyboardInterrupt:  # the line that was being typed is dropped, as in a shell
                continue
            except EOFError:
                break
            if not asked:
                continue
            if asked.startswith("/") and len(asked.split()) == 1:
                match asked:
                    case "/exit" | "/quit":
                        break
                    case "/new":
                        session = stage.session()
                        out.line("A new session; the one before is kept.")
                    case "/session":
                        _describe(out, session)
                    case _:
                        describe_commands(out, asked, COMMANDS)
                continue
            try:
                await _answered(here, stage, desk, session, asked, stream=stream)
            except LocalError as e:  # such as another command that is at work in the session
                voice.print_all(out, e.message, e.remedy)
    if session.turns:
        out.note(f"The session is kept: locus exec -i -s {session.id}")
    return 0


async def _answered(here: Invocation, stage: Stage, desk: Desk, session: Session, asked: str, *, stream: bool) -> None:
    """One turn. The first Ctrl+C stops the agent and keeps the session, a second one does not wait for it.

    Raises Signalled when the whole command is to end.
    """
    out = Output(here)
    aloud = voice.Aloud(here, stream=stream)
    with stage.shelf.using(session), Interrupts() as interrupts:

        async def work(stop: asyncio.Event) -> None:
            finished = await reply(desk, stage.shelf, session, asked, stop, aloud.tell)
            if finished.ending is Ending.DONE:
                voice.print_beside(out, spent(finished))
            elif finished.ending is Ending.STOPPED:
                remembers = "The agent remembers what it did; go" if session.native is not None else "Go"
                voice.print_beside(out, f"Interrupted. {remembers} on, or ask something else.")
            else:
                voice.print_all(out, why(finished), remedy(finished, session.provider))

        try:
            await interrupts.during(work)
        except asyncio.CancelledError:
            voice.print_beside(out, "Ended at once.")
        if interrupts.leaving:
            raise KeyboardInterrupt


def _describe(out: Output, session: Session) -> None:
    used = session.used
    cost = f", {money(used.usd)}" if used.usd is not None else ""
    tokens = used.input_tokens + used.output_tokens
    out.line(f"{session.id}  {session.provider}, {count(len(session.turns), 'turn')}, {tokens:,} tokens{cost}")


def describe_commands(out: Output, asked: str, commands: Mapping[str, str]) -> None:
    """What can be typed, after somebody has asked, or has typed something else."""
    if asked != "/help":
        out.line(f"There is no {asked}.")
    for name, does in commands.items():
        out.line(f"  {name:<11}{does}")
    out.line(KEYS)


def keys() -> KeyBindings:
    """Enter sends; Alt+Enter and Ctrl+J begin a line, as in other agents' prompts."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @bindings.add("escape", "enter")
    @bindings.add("c-j")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings


class Names(Completer):
    """Commands at the beginning of a line, and after an @ the files of the repository."""

    def __init__(self, root: Path, commands: Mapping[str, str]) -> None:
        self._root = root
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.text_before_cursor
        word = line.split()[-1] if line and not line[-1].isspace() else ""
        if line.startswith("/") and word == line:
            for name, does in self._commands.items():
                if name.startswith(word):
                    yield Completion(name, start_position=-len(word), display_meta=does)
        elif word.startswith("@"):
            yield from self._paths(word[1:])

    def _paths(self, typed: str) -> Iterable[Completion]:
        folder, _, beginning = typed.rpartition("/")
        place = (self._root / folder).resolve()
        if not place.is_relative_to(self._root) or not place.is_dir():
            return
        try:
            names = sorted(path for path in place.iterdir() if path.name.startswith(beginning) and path.name != ".git")
        except OSError:
            return  # a folder that nobody may read
        for path in names[:MOST_NAMES]:
            name = path.name + ("/" if path.is_dir() else "")
            yield Completion(name, start_position=-len(beginning))
