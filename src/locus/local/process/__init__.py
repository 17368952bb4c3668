"""Child processes: the only place where one starts, and where it and all it started end.

`run` is for a command with an end that is awaited; `Child` is for a long one whose output is read while it
works; `sweep` ends what is left of a run whose supervisor died. A process that this program starts in any
other way should carry the variable LOCUS_RUN, or the end of a `Child` may take it for an orphan of the agent.
"""

from locus.local.process.child import Child
from locus.local.process.command import run
from locus.local.process.enclosure import Enclosure
from locus.local.process.environment import base_environment
from locus.local.process.exits import Completed, Exit
from locus.local.process.starting import CannotStart
from locus.local.process.tree import MARKER, sweep

__all__ = ["MARKER", "CannotStart", "Child", "Completed", "Enclosure", "Exit", "base_environment", "run", "sweep"]
