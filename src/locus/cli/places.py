"""Where things are for a command: the user's state directory, and the remote that somebody named."""

from pathlib import Path

from locus.local.directories import directories
from locus.local.settings import Origin, Settings


def remote_of(settings: Settings) -> str | None:
    """The remote that somebody named; without one, git's own rules choose."""
    return None if settings.origins["remote"] is Origin.DEFAULT else settings.remote


def state() -> Path:
    """The user's state directory, readable by its owner only."""
    place = directories().state
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place
