"""No agent at all: for a run in which only the project's own commands are started."""

from collections.abc import Mapping

from locus.local.providers.command import Command
from locus.local.sandbox import Needs


class Nobody(Command, frozen=True):
    """A provider without a program; the server knows it as a command."""

    def needs(self, environment: Mapping[str, str]) -> Needs:
        return Needs()
