"""What was said on the command line beside the command itself."""

from pathlib import Path

from msgspec import Struct


class Invocation(Struct):
    """The global flags. Commands get it as their first argument; `locus.cli.session` makes things of it."""

    json: bool = False
    quiet: bool = False
    server: str | None = None
    workspace: str | None = None
    directory: Path | None = None  # of -C
    streaming: bool = False  # a stream of JSON lines has begun, and will say its own last word

    @property
    def cwd(self) -> Path:
        return Path.cwd() / self.directory if self.directory else Path.cwd()
