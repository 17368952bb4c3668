"""The repository that the team shares: its address, and what it says it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from locus.local.git.runner import Git
from locus.local.git.trouble import mask

ASK_TIMEOUT = 60.0  # seconds for the list of a remote's refs
SEEN = "refs/locus/fetched"  # below it, in our git-dir: the branches of the remote, where it was last seen to have them

_SCP = re.compile(r"(?:(?P<user>[^@/\s]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|[^:/\s\[\]]+):(?P<path>.*)", re.DOTALL)
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|\.$|/$|^[-+./]|^@$")


class Address(Struct, frozen=True):
    """The parts of a remote's URL. A path on this machine has no host."""

    scheme: str
    host: str | None
    port: int | None
    path: str
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, url: str) -> Address:
        """Take apart what git accepts: a URL, `user@host:path`, or a path."""
        if "://" in url:
            parts = urlsplit(url)
            try:
                port = parts.port
            except ValueError:
                port = None
            return cls(parts.scheme.lower(), parts.hostname, port, parts.path.strip("/"), _secrets(url))
        # As git decides it: a colon before the first slash makes it ssh.
        if (scp := _SCP.fullmatch(url)) is not None:
            return cls("ssh", scp["host"].strip("[]").lower(), None, scp["path"].strip("/"))
        return cls("file", None, None, url)

    @property
    def is_local(self) -> bool:
        return self.scheme == "file"


def _secrets(url: str) -> tuple[str, ...]:
    """The password of a URL; with http also a lone user name, which may be a token."""
    authority = url.split("://", 1)[1].split("/", 1)[0]
    userinfo, at, _ = authority.rpartition("@")
    if not at:
        return ()
    user, colon, password = userinfo.partition(":")
    if colon:
        return (password,)
    return (user,) if url.lower().startswith("http") else ()


class Remote(Struct, frozen=True):
    """A remote of the user's repository."""

    name: str
    fetch_url: str
    push_url: str
    effective_url: str
    """The push URL after the user's `insteadOf` rules: for finding the forge; git applies them itself."""

    @property
    def secrets(self) -> tuple[str, ...]:
        urls = (self.fetch_url, self.push_url, self.effective_url)
        return tuple(dict.fromkeys(secret for url in urls for secret in Address.of(url).secrets))

    def __str__(self) -> str:
        return f"{self.name} ({mask(self.push_url, self.secrets)})"


class Advertised(Struct, frozen=True):
    """What a remote said it has, in one moment."""

    head: str | None
    """The branch that its HEAD names."""
    heads: dict[str, str]
    """Branch to commit, of the branches that were asked for."""


async def advertised(git: Git, url: str, branches: Sequence[str], *, timeout: float = ASK_TIMEOUT) -> Advertised:
    """Ask a remote for its default branch and for the commits of some branches. Raises GitError."""
    refs = [f"refs/heads/{check_branch(branch)}" for branch in branches]
    done = await git.network("ls-remote", "--symref", "--end-of-options", url, "HEAD", *refs, timeout=timeout)
    head: str | None = None
    heads: dict[str, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/heads/"):
            head = value.removeprefix("ref: refs/heads/")
        elif name in refs:  # patterns match the ends of names, so others may come too
            heads[name.removeprefix("refs/heads/")] = value
    return Advertised(head, heads)


async def branches_below(git: Git, url: str, prefix: str) -> dict[str, str]:
    """The branches of a remote whose names begin with `prefix`, each with its commit. Raises GitError."""
    pattern = f"refs/heads/{check_branch(prefix.rstrip('/-'))}*"
    done = await git.network("ls-remote", "--end-of-options", url, pattern, timeout=ASK_TIMEOUT)
    rows = (line.partition("\t") for line in done.stdout.decode(errors="replace").splitlines())
    found = {name.removeprefix("refs/heads/"): value for value, _, name in rows if name.startswith("refs/heads/")}
    return {name: value for name, value in found.items() if name.startswith(prefix)}


def check_branch(name: str) -> str:
    """Return the name when git accepts it as a branch and nothing can take it for an option; raises ValueError."""
    if not name or len(name) > 200 or _REF_FORBIDDEN.search(name):
        raise ValueError(f"{name!r} is not a name for a branch")
    return name
