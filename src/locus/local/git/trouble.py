"""What can go wrong with git, as a closed list, and its text without anybody's password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import unquote

from locus.local.errors import LocalError

TEXT_LIMIT = 4000  # characters of git's own words in a message
READ_LIMIT = 32 << 10  # bytes of them that are looked at; a hook can print for ever


class Reason(StrEnum):
    AUTH = "auth"
    """The remote does not know us, or does not let us in."""
    HOST_KEY = "host_key"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    PROTECTED = "protected"
    """A rule of the forge forbids this push to this branch."""
    HOOK = "hook"
    """A hook of the remote said no."""
    TOO_LARGE = "too_large"
    DISK_FULL = "disk_full"
    DAMAGED = "damaged"
    """Objects are missing: the repository we borrow from was pruned, or a disk is failing."""
    UNPROVEN = "unproven"
    """git said that the push worked, and the remote does not have the commit."""
    OTHER = "other"


class GitError(LocalError):
    """A git command that failed, with git's own words; credentials in them are masked."""

    def __init__(self, message: str, *, reason: Reason = Reason.OTHER, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


# The first that matches wins: what is said about the one branch comes before what is said about the connection.
_SIGNS: tuple[tuple[Reason, str], ...] = (
    (Reason.DISK_FULL, r"no space left on device|disk quota exceeded"),
    (
        Reason.TOO_LARGE,
        r"GH001|exceeds .{0,60}(file )?size limit|larger than maximum|LFS.{0,40}quota|over its data quota|HTTP 413",
    ),
    (Reason.PROTECTED, r"GH006|GH013|protected branch|not allowed to push code to protected|rule violations"),
    (Reason.HOOK, r"hook declined|pre-receive hook|update hook"),
    (Reason.HOST_KEY, r"host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
    (
        Reason.AUTH,
        r"authentication failed|could not read (username|password)|terminal prompts disabled|permission denied"
        r"|permission to .{1,200} denied|returned error: 40[13]|HTTP 40[13]|invalid (username|credentials)"
        r"|access denied|write access to repository not granted|deploy key.{0,40}read.only|\bSAML\b",
    ),
    (
        Reason.NOT_FOUND,
        r"repository .{0,400}not found|does not appear to be a git repository|returned error: 404"
        r"|no such remote|project you were looking for could not be found",
    ),
    (
        Reason.UNREACHABLE,
        r"could not resolve|connection (refused|reset|timed out|closed)|unable to access|network is unreachable"
        r"|no route to host|hung up unexpectedly|early EOF|returned error: 5\d\d|RPC failed|operation timed out"
        r"|could not read from remote repository|unable to connect",
    ),
    (
        Reason.DAMAGED,
        r"bad object|missing blob|missing tree|unable to read (tree|sha1 file)|could not parse object"
        r"|failed to unpack tree|object file .{0,400} is empty|loose object .{0,200} is corrupt"
        r"|not a valid object|invalid object"
        r"|unable to read [0-9a-f]{40}|index file (corrupt|smaller)|bad (index|signature)|not a git repository",
    ),
)

_USER_IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{0,20}://)[^/\s'\"]*@", re.IGNORECASE)
_HEADER = re.compile(r"(?P<name>authorization|extraheader)(?P<rest>\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)
_TOKEN = re.compile(r"\b(gh[pousr]_|github_pat_|glpat-|lcs_)[A-Za-z0-9_-]{6,}")


# Without a network, "permission denied" is about a file, and nothing is said about a remote.
_AT_HOME = frozenset({Reason.DISK_FULL, Reason.DAMAGED})


def classify(text: str, *, network: bool) -> Reason:
    """Say what kind of trouble git's words describe."""
    for reason, sign in _SIGNS:
        if (network or reason in _AT_HOME) and re.search(sign, text, re.IGNORECASE):
            return reason
    return Reason.OTHER


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without the credentials of URLs, without tokens, and without the `secrets` given."""
    for secret in secrets:
        for shape in {secret, unquote(secret)}:
            if len(shape) >= 4:
                text = text.replace(shape, "***")
    text = _USER_IN_URL.sub(r"\g<scheme>***@", text)
    text = _HEADER.sub(r"\g<name>\g<rest>***", text)
    return _TOKEN.sub(r"\g<1>***", text)


def words(stderr: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the end of what git said, masked, for a person to read."""
    text = stderr[-READ_LIMIT:].decode(errors="replace").strip()
    # Masked before it is cut to size: that cut could leave half of an address.
    return mask(text, secrets)[-TEXT_LIMIT:]
