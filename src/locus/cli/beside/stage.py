"""From flags to a desk: who works, where, with which walls around, and whether the person has agreed to it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from locus.cli import session
from locus.cli.invocation import Invocation
from locus.cli.params import setting_words
from locus.cli.run import consent
from locus.cli.run.limits import limits_of
from locus.local import project, sandbox
from locus.local.directories import directories
from locus.local.errors import LocalError
from locus.local.providers.base import Provider
from locus.local.providers.table import choose
from locus.local.sandbox import Policy, Sandbox
from locus.local.sessions.desk import Desk, walls
from locus.local.sessions.folder import Folder, folder_of
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf
from locus.local.settings import Settings

if TYPE_CHECKING:
    from locus.cli.beside.permitting import Permitting

ASKING = ("exec", "discuss")  # whose agents ask, where the settings say so


class NoAgent(LocalError):
    """The agent's program is not there."""


class Wish(Struct, frozen=True, kw_only=True):
    """What the flags of a command say of the agent."""

    provider: str | None = None
    model: str | None = None
    effort: str | None = None
    network: str | None = None
    no_sandbox: bool = False
    max_turns: int | None = None
    max_usd: float | None = None
    yes: bool = False
    permissions: str | None = None


def permissions_option(function: Callable[..., object]) -> Callable[..., object]:
    """The flag of commands whose agent may have to ask."""
    said = "What the agent may do: allow, or ask for a yes before commands."
    return click.option("--permissions", metavar="WORD", help=said)(function)


def options(function: Callable[..., object]) -> Callable[..., object]:
    """The flags of every command in which an agent works beside a person; they arrive as keyword arguments."""
    for option in (
        click.option("--yes", "-y", is_flag=True, help="Agree for this time to what an agent can reach."),
        click.option("--no-sandbox", is_flag=True, help="Let the agent work with your rights."),
        click.option(
            "--network",
            metavar="WORD",
            shell_complete=setting_words("network"),
            help="Reach of the sandbox: open, or provider.",
        ),
        click.option("--max-usd", type=click.FloatRange(0.01), metavar="N", help="Stop when it has cost this much."),
        click.option("--max-turns", type=click.IntRange(1), metavar="N", help="Stop after so many turns of the model."),
        click.option("--effort", metavar="WORD", help="How hard the model thinks, in the agent's own words."),
        click.option("--model", metavar="NAME", help="Model that the agent uses."),
        click.option(
            "--provider",
            metavar="NAME",
            shell_complete=setting_words("provider"),
            help="Agent that answers: claude, codex or command.",
        ),
    ):
        function = option(function)
    return function


class Stage(Struct, frozen=True, kw_only=True):
    """What is known before anything is started."""

    settings: Settings
    provider: Provider
    policy: Policy | None
    root: Path
    cwd: Path
    folder: Folder
    shelf: Shelf
    wish: Wish
    read_only: bool
    permitting: "Permitting | None" = None
    """Who says what the agent may do; None where it need not ask."""

    def session(self, name: str | None = None) -> Session:
        """A new session of this stage; `name` is its id, when it has been told already."""
        return self.shelf.new(
            root=self.root,
            cwd=self.cwd,
            provider=self.provider.NAME,
            sandboxed=self.policy is not None,
            read_only=self.read_only,
            name=name,
        )

    @asynccontextmanager
    async def desk(self, tell: Callable[[str], None]) -> AsyncIterator[Desk]:
        """The desk, with its walls up until the end of the block. Raises LocalError."""
        around = walls(
            self.provider, self.policy, self.folder, self.root, os.environ, read_only=self.read_only, tell=tell
        )
        async with around as walled:
            desk = self.desk_at(self.root, walled, cwd=self.cwd)
            yield desk if self.permitting is None else replace(desk, asking=self.permitting.during)

    def desk_at(self, root: Path, walled: Sandbox | None, *, cwd: Path | None = None) -> Desk:
        """A desk in a tree, with these walls around it."""
        return Desk(
            provider=self.provider,
            environment=os.environ,
            folder=self.folder,
            root=root,
            cwd=cwd or root,
            sandbox=walled,
            read_only=self.read_only,
            silence=self.settings.silence_minutes * 60.0,
            wall=self.settings.wall_minutes * 60.0,
            model=self.settings.model,
            effort=self.settings.effort,
            max_turns=self.wish.max_turns,
            max_usd=self.wish.max_usd,
            day=limits_of(self.settings).day,
        )


def folder(here: Invocation) -> tuple[Path, Folder]:
    """The repository that the command was started in, and its folder. Raises LocalError outside of one."""
    root = project.find(here.cwd)
    return root, folder_of(root, directories().state)


def prepare(here: Invocation, wish: Wish, *, command: str, read_only: bool, going_on: str | None = None) -> Stage:
    """Find out everything that can be wrong before an agent is started.

    `going_on` names the session to go on with, whose agent and place count then. Raises LocalError and Usage.
    """
    root, ours = folder(here)
    shelf = Shelf(ours)
    earlier = shelf.find(going_on) if going_on is not None else None
    flags = {"provider": wish.provider or (earlier.provider if earlier else None), "model": wish.model}
    settings = session.settings(
        here,
        **flags,
        effort=wish.effort,
        network=wish.network,
        sandbox="off" if wish.no_sandbox else None,
        permissions=wish.permissions,
    )
    # A repository may suggest an agent, but its program comes from the user alone.
    provider = choose(settings.provider, command=settings.agent_command or ())
    policy = sandbox.policy.of(settings, os.environ)
    if earlier is not None:
        _check_same(earlier, provider, policy)
    try:
        provider.locate(os.environ)
    except LocalError as e:
        raise NoAgent(e.message, remedy=e.remedy) from e
    permitting = _permitting(here, settings, provider, root, command) if command in ASKING else None
    consent.make_sure(settings, policy, yes=wish.yes, command=command, read_only=read_only)
    return Stage(
        settings=settings,
        provider=provider,
        policy=policy,
        root=root,
        cwd=_place(here, root, earlier),
        folder=ours,
        shelf=shelf,
        wish=wish,
        read_only=read_only,
        permitting=permitting,
    )


def _permitting(
    here: Invocation, settings: Settings, provider: Provider, root: Path, command: str
) -> "Permitting | None":
    if settings.permissions != "ask":
        return None
    # Few are asked, and what that needs takes its time to import.
    from locus.cli.beside.permitting import permitting

    return permitting(settings, provider, directories().state, root, command=command, typed=not here.json)


def _check_same(earlier: Session, provider: Provider, policy: Policy | None) -> None:
    """Only the agent that had a conversation remembers it, and only where it had it."""
    if earlier.provider != provider.NAME:
        raise LocalError(
            f"The session {earlier.id} is one of {earlier.provider}, and {provider.NAME} knows nothing of it.",
            remedy="Leave out --provider, or begin a new session.",
        )
    if earlier.sandboxed != (policy is not None):
        had = "inside" if earlier.sandboxed else "outside of"
        raise LocalError(
            f"The session {earlier.id} was held {had} the sandbox, where the agent keeps its own memory.",
            remedy="Go on with it there, or begin a new session.",
        )


def _place(here: Invocation, root: Path, earlier: Session | None) -> Path:
    if earlier is not None and Path(earlier.cwd).is_dir() and Path(earlier.cwd).is_relative_to(root):
        return Path(earlier.cwd)  # an agent may find its conversations by where it was
    return here.cwd.resolve()
