"""A repository as it stands on disk: what a sandbox around the user's own checkout shows of it."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from locus.local import process
from locus.local.errors import LocalError
from locus.local.git import throwaway
from locus.local.git.commit import Identity
from locus.local.git.lenders import lenders
from locus.local.git.runner import as_the_user

TIMEOUT = 20.0  # seconds
# What decides how files look on disk. Everything else of the user's settings may be a program, or a token.
HARMLESS = r"^(core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode)|extensions\.objectformat)$"


class Standing(Struct, frozen=True):
    """A work tree and the folders of its repository; with or without commits, with or without a remote."""

    root: Path
    git_dir: Path
    common_dir: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.git_dir, self.common_dir)))

    @property
    def shown(self) -> tuple[Path, ...]:
        """What git needs to read to answer log, diff and status."""
        link = self.root / ".git"
        links = (link,) if link.is_file() else ()
        return (*links, *self.folders, *lenders(self.common_dir / "objects")[1:])

    @property
    def settings(self) -> tuple[Path, ...]:
        """The files of the repository's own settings, which may hold tokens and name programs."""
        names = ("config", "config.worktree")
        return tuple(folder / name for folder in self.folders for name in names if (folder / name).exists())


def standing(root: Path) -> Standing:
    """Look at the repository whose work tree is `root`. Raises LocalError when its `.git` leads nowhere."""
    link = root / ".git"
    if link.is_dir():
        return Standing(root, link, link)
    try:
        said = link.read_text(encoding="utf-8", errors="surrogateescape").strip()
        git_dir = (root / said.removeprefix("gitdir:").strip()).resolve()
        common = git_dir / "commondir"
        shared = (git_dir / common.read_text(encoding="utf-8").strip()).resolve() if common.exists() else git_dir
    except OSError as e:
        raise LocalError(f"{link} cannot be read: {e.strerror or e}.", remedy="See what `git status` says.") from e
    if not git_dir.is_dir():
        raise LocalError(f"{link} leads to {git_dir}, which is not there.", remedy="See what `git status` says.")
    return Standing(root, git_dir, shared)


async def harmless_settings(place: Standing, environment: Mapping[str, str]) -> str:
    """The text of a settings file with nothing but how files look on disk. Raises LocalError."""
    done = await process.run(
        ["git", "-c", "core.hooksPath=/dev/null", "config", "--null", "--get-regexp", HARMLESS],
        cwd=place.root,
        env=as_the_user(environment),
        timeout=TIMEOUT,
    )
    entries = [
        (name, value)
        for entry in done.stdout.decode(errors="replace").split("\0")
        for name, newline, value in (entry.partition("\n"),)
        if newline
    ]
    form = tuple((name, value) for name, value in entries if name.startswith("core."))
    formats = [value for name, value in entries if name == "extensions.objectformat"]
    return throwaway.config(Identity.of_nobody(), formats[-1] if formats else "sha1", form)
