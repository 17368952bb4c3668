"""The server program on this machine: started as a child, found again, stopped.

To this side the server is a program, never an import: a base installation has none of its packages.
"""

from locus.local.hosting.program import (
    SERVER_PACKAGES,
    Ready,
    ServerEnded,
    Serving,
    check_port,
    end,
    server_command,
    server_environment,
    sign_in_link,
    start,
)
from locus.local.hosting.record import FILE, Record, forget, is_alive, owner_is_alive, read, start_time, stop, write

__all__ = [
    "FILE",
    "SERVER_PACKAGES",
    "Ready",
    "Record",
    "ServerEnded",
    "Serving",
    "check_port",
    "end",
    "forget",
    "is_alive",
    "owner_is_alive",
    "read",
    "server_command",
    "server_environment",
    "sign_in_link",
    "start",
    "start_time",
    "stop",
    "write",
]
