"""What a run has at hand: the control plane, the repository, the agent, the settings, and somebody to tell."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from locus.client.plane import ControlPlane
from locus.local.codemap.told import Wanted
from locus.local.forge.table import Choice
from locus.local.git.checkout import Checkout
from locus.local.journal.limits import Limits
from locus.local.permissions.asker import Asker
from locus.local.prices import PriceList, shipped
from locus.local.project import Project
from locus.local.providers.base import Provider
from locus.local.sandbox import Policy
from locus.local.sessions.folder import Folder, folder_of
from locus.local.worker.parking import OnLimit, Patience
from locus.local.worker.told import Told


class Options(Struct, frozen=True, kw_only=True):
    """What a person may choose for one run. Durations are in seconds."""

    name: str | None = None  # what its agent is called before a few letters of its own; None: as its provider
    sprint: str | None = None  # a number or an id; None is the active one
    model: str | None = None
    effort: str | None = None
    base: str | None = None
    max_tasks: int | None = None
    check_rounds: int = 3  # how often red checks go back to the agent
    silence: float = 600.0
    wall: float = 3600.0
    watch: bool = False  # go on waiting when the sprint is drained
    in_place: bool = False
    resume: bool = False  # say what an earlier run has left, before going on with it
    pull_request: bool = True
    summaries: bool = True  # whether the agent's words may be sent to a workspace that asks for them
    limits: Limits = field(default_factory=Limits)
    codemap: Wanted = field(default_factory=Wanted)  # the map of the codebase in prompts
    on_limit: OnLimit = OnLimit.WAIT  # what to do when the provider's allowance is used up
    patience: Patience = field(default_factory=Patience)


class Critic(Struct, frozen=True):
    """Who reviews a task's change before it counts as done, where the project asks for that."""

    provider: Provider
    model: str | None = None


class Workplace(Struct, frozen=True, kw_only=True):
    """Everything that a run is given and does not change."""

    plane: ControlPlane
    connect: Callable[[], ControlPlane]  # opens a connection of the heartbeat's own
    checkout: Checkout
    project: Project
    provider: Provider
    provider_version: str | None
    options: Options
    environment: Mapping[str, str]
    state: Path  # the user's state directory
    tell: Callable[[Told], None]
    policy: Policy | None = None  # how far agents and checks reach; None is as far as the user
    forge: Choice = field(default_factory=Choice)  # what the user's settings say of the forge
    prices: Callable[[], PriceList] = shipped
    critic: Critic | None = None  # None: the agent that works, in a conversation of its own
    asker: Asker | None = None  # who asks before an agent acts; None lets it do what the sandbox lets it

    @property
    def folder(self) -> Folder:
        """What this machine keeps of the repository beside the work itself, such as insights of discussions."""
        return folder_of(self.checkout.root, self.state)
