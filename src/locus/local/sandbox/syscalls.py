"""Calls to the kernel that nothing in a sandbox needs, as a filter program of seccomp.

Key rings hold logins and do not belong to any namespace; new namespaces and mounts open parts of the kernel that are
attacked often; the rest has been used to get out of containers.
"""

from __future__ import annotations

import platform
import struct

from msgspec import Struct

ENOSYS = 38  # as if the kernel did not know the call: programs then do without
EPERM = 1
NEW_NAMESPACES = 0x7E02_0080  # CLONE_NEW*, of which unshare and clone take any
X32 = 0x4000_0000  # calls of the x32 kind have this bit, and would go past a list of numbers

# add_key, request_key, keyctl; bpf, perf_event_open, userfaultfd; open_by_handle_at; mounts old and new; kexec_load.
_KEYS_X86, _KEYS_ARM = (248, 249, 250), (217, 218, 219)
_ODD_X86, _ODD_ARM = (321, 298, 323, 304, 246), (280, 241, 282, 265, 104)
_MOUNTS_X86, _MOUNTS_ARM = (165, 166, 155, 308), (40, 39, 41, 268)
_NEW_MOUNTS = (428, 429, 430, 431, 432, 433, 442)  # the same on every machine, as is clone3
_CLONE3 = 435

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in what the filter is shown
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000


class Machine(Struct, frozen=True):
    audit: int  # what the kernel calls this architecture
    refused: tuple[int, ...]
    clone: int
    unshare: int
    x32: bool = False


_MACHINES = {
    "x86_64": Machine(0xC000_003E, (*_KEYS_X86, *_ODD_X86, *_MOUNTS_X86, *_NEW_MOUNTS, _CLONE3), 56, 272, x32=True),
    "aarch64": Machine(0xC000_00B7, (*_KEYS_ARM, *_ODD_ARM, *_MOUNTS_ARM, *_NEW_MOUNTS, _CLONE3), 220, 97),
}


def program(machine: str = platform.machine()) -> bytes | None:
    """The filter for this kind of machine, as bubblewrap reads it; None for a kind that we do not know.

    clone3 hides its flags from a filter; without it the C library uses clone. Programs for another architecture (32
    bit) cannot make calls at all: their numbers mean other things.
    """
    known = _MACHINES.get(machine)
    if known is None:
        return None
    refused = tuple(sorted(known.refused))
    lines = [_step(_LOAD, _ARCHITECTURE), _jump(_EQUAL, known.audit, yes=1), _step(_RETURN, _ERROR | ENOSYS)]
    lines.append(_step(_LOAD, _NUMBER))
    if known.x32:
        lines += [_jump(_AT_LEAST, X32, no=1), _step(_RETURN, _ERROR | ENOSYS)]
    for number in refused:
        lines += [_jump(_EQUAL, number, no=1), _step(_RETURN, _ERROR | ENOSYS)]
    lines += [_jump(_EQUAL, known.clone, yes=1), _jump(_EQUAL, known.unshare, no=3)]
    lines += [_step(_LOAD, _FIRST_ARGUMENT), _jump(_ANY_BIT, NEW_NAMESPACES, no=1), _step(_RETURN, _ERROR | EPERM)]
    lines.append(_step(_RETURN, _ALLOW))
    return b"".join(lines)


def _step(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Skip `yes` lines when the comparison holds, `no` when it does not."""
    return struct.pack("=HBBI", code, yes, no, value)
