"""What a person may set, where it may stand, and which value is in force.

Precedence: flag, environment (`LOCUS_…`), project (`.locus/config.toml`), user (`settings.toml`), default.
"""

from locus.local.settings.edit import set_project, set_user
from locus.local.settings.kinds import Value
from locus.local.settings.limits import LIMITS
from locus.local.settings.load import PROJECT_FILE, load
from locus.local.settings.setting import Origin, Setting
from locus.local.settings.table import BY_NAME, PROJECT_KEYS, TABLE, Settings

__all__ = [
    "BY_NAME",
    "LIMITS",
    "PROJECT_FILE",
    "PROJECT_KEYS",
    "TABLE",
    "Origin",
    "Setting",
    "Settings",
    "Value",
    "load",
    "set_project",
    "set_user",
]
