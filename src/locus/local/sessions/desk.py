"""A place beside a person: an agent, the person's own checkout, and the sandbox between the two."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from msgspec import Struct, field

from locus.local.directories import directories
from locus.local.errors import Usage
from locus.local.git.standing import Standing, harmless_settings, standing
from locus.local.journal import Account
from locus.local.journal.limits import Caps
from locus.local.providers.asking import Asking
from locus.local.providers.base import Provider
from locus.local.providers.command import Command
from locus.local.sandbox import Ground, Policy, Sandbox, opened as opened_sandbox
from locus.local.sessions.folder import Folder


class Desk(Struct, frozen=True, kw_only=True):
    """Everything that a turn is given and does not change. Durations are in seconds."""

    provider: Provider
    environment: Mapping[str, str]
    folder: Folder
    root: Path
    cwd: Path
    sandbox: Sandbox | None
    read_only: bool
    silence: float
    wall: float
    model: str | None = None
    effort: str | None = None
    max_turns: int | None = None
    max_usd: float | None = None
    """Limits of one turn, whatever the conversation took before."""
    day: Caps = field(default_factory=Caps)
    """The limits of everything on this machine in a day, where nobody else keeps them."""
    asking: Callable[[str], AbstractContextManager[Asking]] | None = None
    """Who is asked before the agent of a session acts, as long as a turn goes on; None where it need not ask."""
    account: Account | None = None
    """What is taken here is written down for it; without one, for the session alone."""


@asynccontextmanager
async def walls(
    provider: Provider,
    policy: Policy | None,
    folder: Folder,
    root: Path,
    environment: Mapping[str, str],
    *,
    read_only: bool,
    tell: Callable[[str], None],
) -> AsyncIterator[Sandbox | None]:
    """The sandbox around the checkout at `root` until the end of the block; None without a policy.

    The agent may change files of the checkout unless `read_only`, and in no case its `.git`. Raises LocalError, and
    Usage when nothing can keep the agent from writing.
    """
    if policy is None:
        if read_only and isinstance(provider, Command):
            raise Usage(
                "Only the sandbox keeps the provider `command` from writing, and the sandbox is off.",
                remedy="Leave out --read-only or --no-sandbox, or choose another provider.",
            )
        yield None
        return
    folder.make()
    ground = await _ground(standing(root), folder, environment, fixed=read_only)
    async with opened_sandbox(policy, ground, provider.needs(environment), environment, tell=tell) as sandbox:
        yield sandbox


async def _ground(place: Standing, folder: Folder, environment: Mapping[str, str], *, fixed: bool) -> Ground:
    ours = directories(environment)
    folder.sandbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = folder.sandbox / "git-config"
    settings.write_text(await harmless_settings(place, environment), encoding="utf-8", errors="surrogateescape")
    return Ground(
        tree=place.root,
        private=folder.sandbox,
        read=place.shown,
        instead=tuple((path, settings) for path in place.settings),
        hidden=(ours.config, ours.state, ours.data),
        fixed=fixed,
    )
