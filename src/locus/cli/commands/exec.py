"""`locus exec`: an agent does what you ask, here and now, in your own checkout."""

import asyncio
from collections.abc import Sequence
from typing import Any

import click
from msgspec import Struct

from locus.cli import frame, session as sessions, words
from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.ndjson import Stream
from locus.cli.beside.reply import FAILED, Listen, code_of, forgotten, remedy, reply, where, why
from locus.cli.beside.stage import NoAgent, Stage, Wish, folder, options, permissions_option, prepare
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.local.errors import LocalError, Usage
from locus.local.providers.base import Ending, Finished
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import NoSuchSession, Shelf, new_id

JSON_STREAM = "--json-stream"
SESSIONS = "sessions"


class Exec(frame.Command):
    """`locus exec sessions …` is `locus sessions …`: people look for what they began where they began it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] != [SESSIONS]:
            return super().make_context(info_name, args, parent=parent, **extra)
        from locus.cli.commands.sessions import command as sessions_command

        return sessions_command.make_context(SESSIONS, args[1:], parent=parent, **extra)


class Done(Struct, frozen=True):
    """What `locus exec --json` says."""

    session: str
    ending: Ending
    detail: str
    answer: str
    seconds: float
    turns: int
    input_tokens: int
    output_tokens: int
    usd: float | None


@click.command("exec", cls=Exec)
@click.argument("prompt", required=False)
@click.option("--interactive", "-i", is_flag=True, help="Talk with the agent until you leave.")
@click.option("--session", "-s", "going_on", metavar="ID", help="Go on with this session.")
@click.option("--read-only", is_flag=True, help="Let the agent read everything here and change nothing.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete, and nothing before.")
@click.option("--json-stream", is_flag=True, help="Print every event as a JSON line; see docs/json-stream.md.")
@permissions_option
@options
@click.pass_obj
def command(
    here: Invocation,
    /,
    prompt: str | None,
    interactive: bool,
    going_on: str | None,
    read_only: bool,
    no_stream: bool,
    json_stream: bool,
    **wish: Any,
) -> int:
    """Have an agent do something in your checkout, and see what it says.

    It works on your files as they are, in a sandbox: it can change what is in this repository, but not .git, and sees
    nothing else of your home. With --read-only it can change nothing at all. PROMPT `-` reads standard input. Sessions
    are kept: go on with one by -s, see them with `locus sessions`.

    \b
    Examples:
      locus exec "Why does the login test fail?" --read-only
      locus exec -s k3f9 "Then fix it"
      git diff | locus exec - --read-only
    """
    given = {"-i": interactive, "--json": here.json, "--no-stream": no_stream}
    if json_stream and (others := [flag for flag, is_given in given.items() if is_given]):
        raise click.UsageError(f"{JSON_STREAM} cannot be combined with {others[0]}.")
    if interactive and (prompt is not None or here.json):
        raise click.UsageError("-i asks you for prompts itself; leave out the prompt and --json.")
    if not interactive and not (prompt or "").strip():
        raise click.UsageError('Say what is to be done: locus exec "…", or talk with the agent: locus exec -i')
    with Interrupts() as interrupts:
        if json_stream:
            return _streamed(here, interrupts, prompt or "", going_on, Wish(**wish), read_only=read_only)
        stage = prepare(here, Wish(**wish), command="exec", read_only=read_only, going_on=going_on)
        if interactive:
            # Its own toolkit takes its time to import.
            from locus.cli.beside.conversation import converse

            return converse(here, stage, going_on, stream=not no_stream)
        asked = words.message(prompt)
        assert asked is not None
        return _told(here, interrupts, stage, going_on, asked, stream=not no_stream)


def _told(
    here: Invocation, interrupts: Interrupts, stage: Stage, going_on: str | None, asked: str, *, stream: bool
) -> int:
    """One turn for a person, or with --json for a program that wants one document."""
    out = Output(here)
    session = stage.shelf.find(going_on) if going_on else stage.session()
    aloud = voice.Aloud(here, stream=stream)
    listen = (lambda event: None) if here.json else aloud.tell
    if not here.json:
        voice.print_all(out, where(stage), forgotten(session))
    with stage.shelf.using(session):
        finished = sessions.run(_turn(stage, session, asked, interrupts, listen, parts=stream and not here.json))
    if here.json:
        last = session.turns[-1]
        usage = finished.usage
        out.json(
            Done(
                session.id,
                finished.ending,
                "" if finished.ending is Ending.DONE else finished.detail,  # else it is the answer once more
                last.answer,
                last.seconds,
                finished.turns,
                usage.input_tokens,
                usage.output_tokens,
                usage.usd,
            )
        )
        return code_of(finished, interrupts)
    go_on = f'locus exec -s {session.id} "…"' if session.native is not None else None
    if finished.ending is not Ending.DONE and finished.ending is not Ending.STOPPED:
        raise LocalError(why(finished), remedy=remedy(finished, session.provider, go_on=go_on))
    if finished.ending is Ending.STOPPED:
        voice.print_beside(out, "Interrupted.")
    voice.close(out, finished, go_on=go_on)
    return code_of(finished, interrupts)


def _streamed(
    here: Invocation, interrupts: Interrupts, prompt: str, going_on: str | None, wish: Wish, *, read_only: bool
) -> int:
    """One turn as a stream of JSON lines. Whatever happens, the stream has its beginning and its end."""
    stream = Stream(_name(here, going_on))
    cwd = str(here.cwd.resolve())
    code, tokens = FAILED, None
    try:
        here.streaming = True
        stage = prepare(here, wish, command="exec", read_only=read_only, going_on=going_on)
        stream.start(provider=stage.provider.NAME, model=stage.settings.model, cwd=str(stage.cwd))
        stream.status("running", "Building prompt context")
        asked = words.message(prompt)
        assert asked is not None
        session = stage.shelf.find(going_on) if going_on else stage.session(stream.session)
        if (note := forgotten(session)) is not None:
            stream.status("notice", note)
        with stage.shelf.using(session):
            finished = sessions.run(_turn(stage, session, asked, interrupts, stream.tell, parts=True))
        tokens = finished.usage.tokens
        code = code_of(finished, interrupts)
        interrupts.calm()
    except (KeyboardInterrupt, asyncio.CancelledError):
        interrupts.calm()
        stream.start(provider=None, model=None, cwd=cwd)
        stream.status("interrupted", "The run was interrupted.")
        stream.failed = True
        code = interrupts.exit_code
    except LocalError as e:
        interrupts.calm()
        code = e.exit_code
        stream.start(provider=wish.provider, model=wish.model, cwd=cwd)
        stream.error(_code(e), str(e), recoverable=not isinstance(e, Usage))
    except BrokenPipeError:
        raise  # nobody reads any more
    except BaseException as e:
        stream.start(provider=wish.provider, model=wish.model, cwd=cwd)
        stream.error("UNKNOWN", f"Locus met an error it did not expect: {type(e).__name__}.")
        raise
    finally:
        interrupts.calm()
        stream.done(code, tokens=tokens)
    return code


async def _turn(
    stage: Stage, session: Session, asked: str, interrupts: Interrupts, listen: Listen, *, parts: bool
) -> Finished:
    async def work(stop: asyncio.Event) -> Finished:
        async with stage.desk(lambda text: None) as desk:
            return await reply(desk, stage.shelf, session, asked, stop, listen, parts=parts)

    return await interrupts.during(work)


def _name(here: Invocation, going_on: str | None) -> str:
    """The id that every line of a stream carries: of the session that is gone on with, else a new one."""
    if going_on is None:
        return new_id()
    try:
        return Shelf(folder(here)[1]).name(going_on)
    except LocalError:
        return going_on[:80]


def _code(error: LocalError) -> str:
    kinds: Sequence[tuple[type[LocalError], str]] = ((NoSuchSession, "SESSION_NOT_FOUND"), (NoAgent, "CLI_NOT_FOUND"))
    return next((code for kind, code in kinds if isinstance(error, kind)), "UNKNOWN")
