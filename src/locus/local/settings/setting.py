"""What a setting is, and where its value may come from."""

from enum import StrEnum

from msgspec import Struct

from locus.local.settings.kinds import Kind, Value


class Origin(StrEnum):
    """Where a value comes from; the first one that has it wins."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    PROJECT = "project"  # .locus/config.toml
    USER = "user"  # settings.toml in the user's directory
    DEFAULT = "default"


class Setting(Struct, frozen=True, kw_only=True):
    """One thing that may be set.

    `project` is its dotted key in .locus/config.toml; without one a repository may not set it, for the reason in
    `why_not`. `environment` is false for what must be said by a person, once, in a place that lasts.
    """

    name: str
    kind: Kind
    doc: str
    default: Value = None
    project: str | None = None
    why_not: str = ""
    environment: bool = True

    @property
    def variable(self) -> str | None:
        return f"LOCUS_{self.name.upper()}" if self.environment else None
