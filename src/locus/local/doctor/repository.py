"""The repository of the current directory: its remote, the right to push, the checks that it names."""

import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from locus.local import process
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.errors import LocalError
from locus.local.forge.none import NoForge
from locus.local.forge.table import forge_for
from locus.local.git import checkout
from locus.local.git.checkout import Checkout
from locus.local.git.runner import Git
from locus.local.git.trouble import GitError

PUSH_LIMIT = 20.0  # seconds
LOOK_LIMIT = 10.0  # seconds
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


async def find(cwd: Path, environ: Mapping[str, str], *, remote: str | None) -> tuple[Checkout | None, Finding]:
    """Look for the repository of a directory."""
    try:
        found = await checkout.find(cwd, environ, remote=remote)
    except LocalError as error:
        return None, failed("repository", error.message, error.remedy)
    where = f"branch {found.branch}" if found.branch else "detached HEAD"
    return found, ok("repository", f"{found.root} ({where}, remote {found.remote})")


async def push(found: Checkout) -> Finding:
    """Ask the remote whether we may push, with a dry run of a branch that nobody has. Nothing is left behind."""
    target = f"refs/heads/locus/doctor-{secrets.token_hex(8)}"
    git = Git(directory=found.git_dir, reach=found.reach)
    refspec = f"{found.head}:{target}"
    arguments = ("push", "--dry-run", "--porcelain", "--end-of-options", found.remote.push_url, refspec)
    try:
        await git.network(*arguments, timeout=PUSH_LIMIT)
    except GitError as error:
        return failed(
            "push",
            f"{found.remote.name} does not take a push: {error.message}",
            error.remedy or "Check that this account can push by hand: git push --dry-run",
        )
    return ok("push", f"{found.remote.name} takes a push (dry run; nothing was sent)")


async def pull_requests(found: Checkout, state: Path, environ: Mapping[str, str]) -> Finding:
    """Ask the forge of the remote whether our token may open pull requests."""
    try:
        forge = await forge_for(found.remote, environ, state)
        rights = await forge.rights()
    except LocalError as error:
        # The commits are pushed all the same; only the pull request would be missing.
        return warning("pull requests", error.message, error.remedy)
    if isinstance(forge, NoForge):
        return ok("pull requests", f"{found.remote.name} is on no forge: the description is written to a file")
    if rights.push is False:
        return failed("pull requests", f"The token for {forge.name} may not push here.", rights.remedy)
    if rights.push is None:
        return warning("pull requests", f"{forge.name} does not say what the token may do.", rights.remedy)
    return ok("pull requests", f"The token for {forge.name} may push and open pull requests")


async def check_commands(checks: Sequence[tuple[str, str]], root: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Look whether the programs exist that the checks, given as (name, command), begin with."""
    if not checks:
        return [
            warning(
                "checks",
                "No check is configured, so nothing proves an agent's work before it goes to review.",
                'Name one in .locus/config.toml (locus init suggests one):\n[checks.tests]\nrun = "pytest -q"',
            )
        ]
    return [await _check_command(name, command, root, environ) for name, command in checks]


async def _check_command(name: str, command: str, root: Path, environ: Mapping[str, str]) -> Finding:
    program = _program(command)
    if program is None or await _is_known(program, root, environ):
        return ok("checks", f"{name}: {command}")
    where = "in the repository" if "/" in program else "on PATH"
    return failed(
        "checks",
        f"{name} runs `{command}`, and there is no {program} {where}.",
        f"Install {program}, or correct [checks.{name}] in .locus/config.toml.",
    )


async def _is_known(program: str, root: Path, environ: Mapping[str, str]) -> bool:
    """Ask the shell, which also knows its own commands; it looks the word up and runs nothing."""
    done = await process.run(
        ["sh", "-c", 'command -v -- "$1"', "sh", program],
        cwd=root,
        env=process.base_environment(environ),
        timeout=LOOK_LIMIT,
    )
    return done.ok


def _program(command: str) -> str | None:
    """The word that names the program of a command line; None when only running it could tell."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        return None
    word = next((word for word in words if not _ASSIGNMENT.fullmatch(word)), "").rstrip(";")
    return None if not word or set(word) & set("$`~*?(){}<>|&") else word
