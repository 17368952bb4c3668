"""The projects of this machine that the bot serves, and an open control plane for each that was asked about."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from msgspec import Struct

from locus.client.plane import ControlPlane
from locus.local import project as projects
from locus.local.errors import LocalError
from locus.local.project import Project
from locus.telegram.account import Account, Place

Opener = Callable[[Path], AbstractAsyncContextManager[ControlPlane]]


class Site(Struct, frozen=True):
    """One project: a checkout, and the plane that its settings name."""

    name: str
    root: Path
    plane: ControlPlane

    def configuration(self) -> Project:
        """What the repository says of itself, read now. Raises LocalError."""
        return projects.load(self.root)


class Projects:
    """Opens what is asked for and keeps it open; use it in `async with`."""

    def __init__(self, account: Callable[[], Account], opener: Opener) -> None:
        self._account = account
        self._opener = opener
        self._open: dict[str, Site] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Projects":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def places(self) -> list[Place]:
        return self._account().projects

    async def get(self, name: str | None) -> Site:
        """The project of this name, or the first one. Raises LocalError, PlaneError."""
        places = self.places
        place = next((p for p in places if p.name == name), None) if name else next(iter(places), None)
        if place is None:
            told = f"There is no project {name} here." if name else "The bot serves no project yet."
            raise LocalError(told, remedy="At the terminal, in the project: locus telegram add")
        site = self._open.get(place.name)
        if site is None or site.root != Path(place.root):
            root = Path(place.root)
            if projects.find_or_none(root) is None:
                raise LocalError(f"{place.root} is not a git repository (any more).")
            site = Site(place.name, root, await self._stack.enter_async_context(self._opener(root)))
            self._open[place.name] = site
        return site
