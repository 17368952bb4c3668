"""What an agent needs in the sandbox beside the tree: its program, its login, a folder for its conversations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field


def reaching(program: Path) -> tuple[Path, ...]:
    """What has to show for a program to be found and started: it, what it is a link to, and the packages around it."""
    found: list[Path] = []
    for path in dict.fromkeys((program, program.resolve())):
        # npm puts a program's own parts into packages beside it.
        packages = [parent for parent in path.parents if parent.name == "node_modules"]
        found += packages[-1:] or [path]
    return tuple(found)


class Loan(Struct, frozen=True):
    """A file or folder of the user's that shows in the agent's own folder under `name`.

    `writable` is for a login that renews itself, and for nothing that a program of the user's would ever execute.
    """

    source: Path
    name: str
    writable: bool = False


class Needs(Struct, frozen=True, kw_only=True):
    """What one provider's agents need.

    `home_variable` tells the agent where its own folder is: an empty one, in which `loans` show, the subfolders `kept`
    last from one command to the next, and `written` files begin with that content and are thrown away. `read` shows
    where it is. `service` are the addresses of the model, the only ones when the network is the provider's.
    """

    home_variable: str | None = None
    loans: tuple[Loan, ...] = ()
    kept: tuple[str, ...] = ()
    written: Mapping[str, bytes] = field(default_factory=dict)
    read: tuple[Path, ...] = ()
    service: tuple[str, ...] = ()
