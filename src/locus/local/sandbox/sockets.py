"""Abstract sockets of the desktop: they have no file that could be hidden, so the kernel's Landlock keeps them apart.

An X server, an input method or a message bus that listens on one would do what an agent asks of it. They belong to the
network namespace; with the network of its own a sandbox does not need this.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache

CREATE_RULESET, RESTRICT_SELF = 444, 446  # the same on every machine
ASK_VERSION = 1
SCOPED_SINCE = 6  # version of Landlock, in Linux 6.12
ABSTRACT_SOCKETS = 1
NO_NEW_PRIVILEGES = 38


@cache
def starter() -> Executor | None:
    """A thread whose children can only reach abstract sockets of their own; None where the kernel cannot do that.

    Restrictions hold for one thread and what it starts, so the program itself stays as it is. The thread lives as
    long as the program: children that die with their parent die with it.
    """
    if not available():
        return None
    thread = ThreadPoolExecutor(1, thread_name_prefix="locus-sandbox", initializer=_restrict)
    thread.submit(int).result()
    return thread


@cache
def available() -> bool:
    """Whether the kernel can keep abstract sockets apart."""
    if sys.platform != "linux":
        return False
    return int(_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION)) >= SCOPED_SINCE


def _restrict() -> None:
    libc = _libc()
    attributes = struct.pack("=QQQ", 0, 0, ABSTRACT_SOCKETS)
    ruleset = libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0 or libc.syscall(RESTRICT_SELF, ruleset, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
