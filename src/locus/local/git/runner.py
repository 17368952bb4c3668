"""The one caller of git: constant argument lists, a closed environment, a time limit, typed failures.

There are two ways to call. `local` touches objects and trees and knows nothing of the user's configuration, so a tree
that an agent wrote can name filters, drivers and hooks, and none exists. `network` talks to the remote with the user's
own credentials and never looks at a tree. Both always name our own git-dir, and run in it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local import process
from locus.local.git.trouble import GitError, Reason, classify, words
from locus.local.process import Completed

LOCAL_TIMEOUT = 120.0  # seconds
NETWORK_TIMEOUT = 120.0  # seconds
LIST_LIMIT = 256 << 20  # bytes; a list of a million paths fits

Pairs = tuple[tuple[str, str], ...]

# Said on every command line, where it outranks every file.
_ALWAYS: Pairs = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.pager", "cat"),
    ("core.quotePath", "false"),
    ("color.ui", "false"),
    ("protocol.ext.allow", "never"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("push.gpgSign", "false"),
    ("commit.gpgSign", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("credential.interactive", "false"),
    # A connection that stands still is given up long before the time limit: 1 kB/s for a minute.
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
)
# The same for ssh, which also must not ask anything.
_SSH_OPTIONS = "-oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oServerAliveCountMax=4"

# Of the user's GIT_* variables, those that say how to reach a remote. All others could redirect us.
_REACHING = (
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_SSL_VERSION", "GIT_SSL_NO_VERIFY"),
    *("GIT_SSH", "GIT_SSH_VARIANT", "GIT_PROXY_COMMAND", "GIT_HTTP_USER_AGENT"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
)


class Reach(Struct, frozen=True):
    """How this user reaches a remote: read once, before any agent has run."""

    environment: Mapping[str, str]
    """The worker's own environment."""
    settings: Pairs = ()
    """Settings of the user's repository that concern the network; its file is not read again."""
    ssh_command: str | None = None
    secrets: tuple[str, ...] = ()
    """Passwords that must not appear in any message."""


class Git(Struct, frozen=True):
    """git, bound to one git-dir of ours."""

    directory: Path
    reach: Reach
    form: Pairs = ()
    """How files look on disk (line ends, modes); only values, never programs."""

    async def local(
        self,
        *arguments: str | Path,
        tree: Path | None = None,
        index: Path | None = None,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        accept: Sequence[int] = (0,),
        timeout: float = LOCAL_TIMEOUT,
    ) -> Completed:
        """Run a command that needs no network; exit codes outside `accept` raise GitError.

        `tree` and `index` name a work tree and an index file; `extra` are variables such as GIT_AUTHOR_NAME;
        `timeout` is in seconds.
        """
        env = sealed(self.reach.environment, self.directory) | dict(extra or {})
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        where = [f"--git-dir={self.directory}"]
        if tree is not None:
            where += [f"--work-tree={tree}", "-c", "core.bare=false"]
        done = await process.run(
            ["git", *where, *_options(self.form + _ALWAYS), *map(str, arguments)],
            cwd=self.directory,
            env=env,
            stdin=stdin,
            timeout=timeout,
            limit=LIST_LIMIT,
        )
        return checked(done, str(arguments[0]), accept=accept, timeout=timeout)

    async def network(
        self, *arguments: str, accept: Sequence[int] = (0,), timeout: float = NETWORK_TIMEOUT
    ) -> Completed:
        """Run a command that talks to a remote, as the user would; `timeout` is in seconds. Raises GitError."""
        done = await process.run(
            ["git", f"--git-dir={self.directory}", *_options(_ALWAYS), *arguments],
            cwd=self.directory,
            env=reaching(self.reach),
            timeout=timeout,
        )
        return checked(done, arguments[0], accept=accept, timeout=timeout, network=True, secrets=self.reach.secrets)

    async def text(
        self,
        *arguments: str | Path,
        tree: Path | None = None,
        index: Path | None = None,
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> str:
        """Return the output of a local command as text, without its last newline. Raises GitError."""
        done = await self.local(*arguments, tree=tree, index=index, stdin=stdin, extra=extra)
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


def checked(
    done: Completed,
    command: str,
    *,
    accept: Sequence[int],
    timeout: float,
    network: bool = False,
    secrets: Sequence[str] = (),
) -> Completed:
    """Return `done` when it ended as expected and whole; raises GitError otherwise."""
    said = words(done.stderr, secrets)
    if done.timed_out:
        raise GitError(f"git {command} did not end within {timeout:.0f} s.\n{said}".rstrip(), reason=Reason.TIMEOUT)
    if done.exit.code not in accept:
        raise GitError(f"git {command} failed ({done.exit}): {said}", reason=classify(said, network=network))
    if done.truncated and len(done.stdout) >= LIST_LIMIT:
        raise GitError(f"git {command} printed more than {LIST_LIMIT >> 20} MiB.")
    return done


def sealed(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of commands that know nothing of the user's configuration, and may open no connection."""
    return {
        **{name: environment[name] for name in ("PATH", "TMPDIR") if name in environment},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def as_the_user(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of commands that the user's own configuration governs; nothing can ask a question."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _REACHING or not name.startswith(("GIT_", "LOCUS_", "DATABASE_URL", "LC_", "LANGUAGE"))
    }
    pairs = _pairs_of(environment)
    return (
        kept
        | _numbered(pairs)
        | {
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",  # set and empty: nothing is asked, in no window either
            "SSH_ASKPASS_REQUIRE": "never",
            "GIT_OPTIONAL_LOCKS": "0",
        }
    )


def reaching(reach: Reach) -> dict[str, str]:
    """The environment of network commands. Settings go through variables: a header with a token must not be in argv."""
    env = as_the_user(reach.environment)
    env |= _numbered(_pairs_of(reach.environment) + reach.settings)
    command = reach.environment.get("GIT_SSH_COMMAND") or reach.ssh_command
    if command is not None or "GIT_SSH" not in env:
        env["GIT_SSH_COMMAND"] = _without_questions(command or "ssh")
    return env


def _without_questions(command: str) -> str:
    try:
        program = Path(shlex.split(command)[0]).name
    except (ValueError, IndexError):
        return command
    # A wrapper (plink, a script) need not know OpenSSH's options; the time limit is left for it.
    return f"{command} {_SSH_OPTIONS}" if program == "ssh" else command


def _options(pairs: Pairs) -> list[str]:
    return [part for name, value in pairs for part in ("-c", f"{name}={value}")]


def _numbered(pairs: Pairs) -> dict[str, str]:
    env = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for i, (name, value) in enumerate(pairs):
        env[f"GIT_CONFIG_KEY_{i}"] = name
        env[f"GIT_CONFIG_VALUE_{i}"] = value
    return env


def _pairs_of(environment: Mapping[str, str]) -> Pairs:
    """Settings that the user gives by variables, as many automations do."""
    count = environment.get("GIT_CONFIG_COUNT", "0")
    if not re.fullmatch(r"\d{1,3}", count):
        return ()
    return tuple(
        (environment[f"GIT_CONFIG_KEY_{i}"], environment.get(f"GIT_CONFIG_VALUE_{i}", ""))
        for i in range(int(count))
        if f"GIT_CONFIG_KEY_{i}" in environment
    )
