"""The user's own repository: what we learn of it, once and read-only. Nothing here writes a byte to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local import process
from locus.local.errors import LocalError
from locus.local.git.commit import Identity
from locus.local.git.remote import Address, Remote
from locus.local.git.runner import LIST_LIMIT, Pairs, Reach, as_the_user, checked
from locus.local.process import Completed

OLDEST_GIT = (2, 31)  # the first that takes settings from variables, which keeps tokens out of argv
READ_TIMEOUT = 60.0  # seconds

_NETWORK_SETTING = re.compile(r"(credential|http|url|ssh|protocol)\..+|core\.(gitproxy|sshcommand)", re.IGNORECASE)
_SCOPES_OF_THE_REPOSITORY = ("local", "worktree")
# Settings that decide how a file looks on disk. They are values, never programs.
_FORM_SETTINGS = tuple(
    f"core.{name}" for name in ("autocrlf", "eol", "filemode", "symlinks", "ignorecase", "precomposeunicode")
)


class Checkout(Struct, frozen=True):
    """A user's repository with a work tree, at least one commit and a remote."""

    root: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    complete: bool
    """Whether every object is here; not so in shallow and partial clones."""
    head: str
    branch: str | None
    """The branch that is checked out; None when HEAD is detached."""
    remote: Remote
    identity: Identity
    form: Pairs
    """How files look on disk: line ends, modes, links."""
    excludes: bytes
    """Patterns that the user ignores outside of the repository's own files."""
    reach: Reach

    @property
    def objects(self) -> Path:
        return self.common_dir / "objects"

    @property
    def name(self) -> str:
        return self.root.name

    async def dirt(self) -> tuple[str, ...]:
        """Return the paths that differ from HEAD, untracked ones too; empty when the checkout is clean.

        Runs the user's own filters, so it is only for a time when no agent has written here.
        """
        asked = await _ask(self.root, self.reach.environment, "status", "--porcelain", "-z", "--no-renames", "-uall")
        entries = asked.stdout.decode(errors="surrogateescape").split("\0")
        return tuple(entry[3:] for entry in entries if entry)

    async def staged(self) -> bool:
        """Whether the index holds anything else than HEAD."""
        asked = await _ask(self.root, self.reach.environment, "diff", "--cached", "--quiet", accept=(0, 1))
        return not asked.exit.ok

    async def submodules(self) -> tuple[str, ...]:
        """Return the paths of the submodules that HEAD names."""
        asked = await _ask(self.root, self.reach.environment, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
        rows = asked.stdout.decode(errors="surrogateescape").split("\0")
        return tuple(row.split("\t", 1)[1] for row in rows if row.startswith("160000 "))


async def find(cwd: Path, environment: Mapping[str, str], *, remote: str | None = None) -> Checkout:
    """Return the checkout that `cwd` lies in.

    `remote` names one of its remotes; without it the one that the current branch follows is taken, else `origin`,
    else the only one. Raises LocalError with a remedy when there is no repository to work with.
    """
    await _check_version(cwd, environment)
    root, git_dir, common_dir, object_format = await _locate(cwd, environment)
    head = await _ask(root, environment, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1, 128))
    if not head.exit.ok:
        raise LocalError(
            f"The repository {root} has no commit yet.",
            remedy="Make a first one (git add, git commit), push it, and try again.",
        )
    branch = await _ask(root, environment, "symbolic-ref", "--quiet", "--short", "HEAD", accept=(0, 1))
    settings = await _settings(root, environment)
    current = branch.stdout.decode().strip() or None
    chosen = await _remote(root, environment, settings, wanted=remote, branch=current)
    shallow = (common_dir / "shallow").exists()
    return Checkout(
        root=root,
        git_dir=git_dir,
        common_dir=common_dir,
        object_format=object_format,
        complete=not shallow and not settings.any(r"extensions\.partialclone|remote\..+\.promisor"),
        head=head.stdout.decode().strip(),
        branch=current,
        remote=chosen,
        identity=_identity(settings, environment),
        form=tuple((name, value) for name in _FORM_SETTINGS if (value := settings.last(name)) is not None),
        excludes=_excludes(common_dir, settings, environment),
        reach=Reach(
            environment=environment,
            settings=settings.for_the_network(),
            ssh_command=settings.last("core.sshcommand"),
            secrets=chosen.secrets,
        ),
    )


class _Setting(Struct, frozen=True):
    scope: str
    name: str
    value: str


class _Settings(Struct, frozen=True):
    """The user's configuration as it was when we started."""

    entries: tuple[_Setting, ...]

    def last(self, name: str) -> str | None:
        values = [entry.value for entry in self.entries if entry.name == name]
        return values[-1] if values else None

    def any(self, pattern: str) -> bool:
        return any(re.fullmatch(pattern, entry.name) for entry in self.entries)

    def names(self, pattern: str) -> set[str]:
        return {found[1] for entry in self.entries if (found := re.fullmatch(pattern, entry.name))}

    def for_the_network(self) -> Pairs:
        return tuple(
            (entry.name, entry.value)
            for entry in self.entries
            if entry.scope in _SCOPES_OF_THE_REPOSITORY and _NETWORK_SETTING.fullmatch(entry.name)
        )


async def _settings(root: Path, environment: Mapping[str, str]) -> _Settings:
    asked = await _ask(root, environment, "config", "--show-scope", "--null", "--list")
    fields = asked.stdout.decode(errors="surrogateescape").split("\0")
    entries = []
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        name, newline, value = entry.partition("\n")
        # A name without a value means true; git says so by leaving out the newline.
        entries.append(_Setting(scope, name, value if newline else "true"))
    return _Settings(tuple(entries))


async def _locate(cwd: Path, environment: Mapping[str, str]) -> tuple[Path, Path, Path, str]:
    asked = await _ask(cwd, environment, "rev-parse", "--is-bare-repository", "--is-inside-work-tree", accept=(0, 128))
    said = asked.stderr.decode(errors="replace")
    if "dubious ownership" in said:
        raise LocalError(
            f"git does not trust the repository at {cwd}: it belongs to another user.",
            remedy=f"If you trust it: git config --global --add safe.directory {cwd}",
        )
    if not asked.exit.ok:
        raise LocalError(
            f"{cwd} is not inside a git repository.",
            remedy="Go to your project first (cd), or make it a repository with git init.",
        )
    bare, inside = asked.stdout.decode().split()
    if bare == "true" or inside != "true":
        raise LocalError(
            f"{cwd} is a repository without files of its own (bare).",
            remedy="Clone it, and start Locus in the clone.",
        )
    # With newlines in a path each has to be asked for alone.
    answers = [
        (await _ask(cwd, environment, "rev-parse", *question))
        .stdout.decode(errors="surrogateescape")
        .removesuffix("\n")
        for question in (
            ("--show-toplevel",),
            ("--absolute-git-dir",),
            ("--git-common-dir",),
            ("--show-object-format",),
        )
    ]
    root, git_dir = Path(answers[0]), Path(answers[1])
    return root, git_dir, (cwd / answers[2]).resolve(), answers[3]


async def _remote(
    root: Path, environment: Mapping[str, str], settings: _Settings, *, wanted: str | None, branch: str | None
) -> Remote:
    names = settings.names(r"remote\.(.+)\.url")
    if wanted is not None and wanted not in names:
        raise LocalError(
            f"The repository has no remote called {wanted!r}.",
            remedy=f"It has: {', '.join(sorted(names))}." if names else "Add it with git remote add.",
        )
    if not names:
        raise LocalError(
            f"The repository {root} has no remote, so there is nowhere to push to.",
            remedy="Add one: git remote add origin <url>, then git push -u origin HEAD.",
        )
    followed = settings.last(f"branch.{branch}.remote") if branch else None
    candidates = [name for name in (wanted, followed, "origin") if name in names]
    if not candidates and len(names) > 1:
        raise LocalError(
            f"The repository has several remotes ({', '.join(sorted(names))}), and none is called origin.",
            remedy="Say which one is meant, with --remote.",
        )
    name = candidates[0] if candidates else next(iter(names))
    assert name is not None
    fetch_url = settings.last(f"remote.{name}.url") or ""
    push_url = settings.last(f"remote.{name}.pushurl") or fetch_url
    effective = await _ask(root, environment, "remote", "get-url", "--push", name)
    return Remote(
        name=name,
        fetch_url=_absolute(fetch_url, root),
        push_url=_absolute(push_url, root),
        effective_url=_absolute(effective.stdout.decode(errors="surrogateescape").strip(), root),
    )


def _absolute(url: str, root: Path) -> str:
    """Git reads a relative path from the place it runs in, and ours is not the user's."""
    if "://" in url or not Address.of(url).is_local:
        return url
    return str((root / Path(url).expanduser()).resolve())


def _identity(settings: _Settings, environment: Mapping[str, str]) -> Identity:
    name = environment.get("GIT_AUTHOR_NAME") or settings.last("user.name")
    email = environment.get("GIT_AUTHOR_EMAIL") or settings.last("user.email")
    return Identity(name, email) if name and email else Identity.of_nobody()


def _excludes(common_dir: Path, settings: _Settings, environment: Mapping[str, str]) -> bytes:
    home = Path(environment.get("HOME") or Path.home())
    configured = settings.last("core.excludesfile")
    if configured is None:
        configured = str(Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "ignore")
    elif configured.startswith("~/"):
        configured = str(home / configured[2:])
    parts = []
    for path in (Path(configured), common_dir / "info" / "exclude"):
        try:
            parts.append(path.read_bytes())
        except OSError:  # most people have neither
            continue
    return b"\n".join(parts)


async def _check_version(cwd: Path, environment: Mapping[str, str]) -> None:
    try:
        asked = await _ask(cwd, environment, "version")
    except process.CannotStart as e:
        raise LocalError(e.message, remedy="Install git and start Locus in your project.") from e
    found = re.search(rb"(\d+)\.(\d+)", asked.stdout)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        raise LocalError(
            f"git {oldest} or newer is needed; this is {asked.stdout.decode(errors='replace').strip()}.",
            remedy="Update git and try again.",
        )


async def _ask(cwd: Path, environment: Mapping[str, str], *arguments: str, accept: Sequence[int] = (0,)) -> Completed:
    """Ask the user's git about the user's repository, taking no lock and calling no hook."""
    done = await process.run(
        [
            "git",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.quotePath=false",
            *arguments,
        ],
        cwd=cwd,
        env=as_the_user(environment),
        timeout=READ_TIMEOUT,
        limit=LIST_LIMIT,
    )
    return checked(done, arguments[0], accept=accept, timeout=READ_TIMEOUT)
