"""The doctor's rounds: what is looked at, from the machine outward to the control plane."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from locus.local import hosting, project
from locus.local.directories import directories
from locus.local.doctor import agents, machine, plane, repository, walls
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.errors import LocalError
from locus.local.git.checkout import Checkout
from locus.local.project import Project
from locus.local.settings import PROJECT_FILE, Origin, Settings


async def examine(cwd: Path, settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Finding]:
    """Yield findings as they are made; `cwd` lies in the repository to look at."""
    places = directories(environ)
    yield await machine.git(environ)
    yield machine.disk(places.state)
    secrets = (places.credentials, places.settings, places.state / hosting.FILE)
    yield machine.private((places.config, places.state, places.data), secrets)

    found, finding = await repository.find(cwd, environ, remote=_remote(settings))
    yield finding
    if found is not None:
        yield await repository.push(found)
        yield await repository.pull_requests(found, places.state, environ)
    for finding in await _project(cwd, found, environ):
        yield finding

    for finding in await agents.look(settings.provider, settings.agent_command or (), environ):
        yield finding
    yield await walls.look(settings, environ)
    for finding in await plane.look(settings.server, settings.workspace):
        yield finding


def _remote(settings: Settings) -> str | None:
    """The remote, when somebody chose one; the default gives way to the one that the branch follows."""
    return settings.remote if settings.origins["remote"] is not Origin.DEFAULT else None


async def _project(cwd: Path, found: Checkout | None, environ: Mapping[str, str]) -> list[Finding]:
    root = found.root if found else project.find_or_none(cwd)
    if root is None:
        return []
    try:
        loaded: Project = project.load(root)
    except LocalError as error:
        return [failed("project", error.message, error.remedy)]
    if not loaded.configured:
        return [
            warning("project", f"There is no {PROJECT_FILE}: agents work here without checks.", "Write one: locus init")
        ]
    checks = await repository.check_commands([(check.name, check.run) for check in loaded.checks], root, environ)
    return [ok("project", f"{PROJECT_FILE} can be read"), *checks]
