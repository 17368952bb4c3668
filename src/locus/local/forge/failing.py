"""What a forge's own checks say of a commit: check runs (of its own runners, say), and statuses (of many others)."""

# No `from __future__ import annotations`: msgspec reads them.

from msgspec import Struct

from locus.local.forge.github import GitHub

PAGE = 100
PAGES = 10
FAILED = frozenset({"failure", "timed_out"})
RED = frozenset({"failure", "error"})


class Failing(Struct, frozen=True):
    """A check of the forge that has failed on the head. The text is the check's; `id` is of this failure alone."""

    id: str
    name: str
    text: str


class _Output(Struct):
    title: str | None = None
    summary: str | None = None
    text: str | None = None


class _Run(Struct):
    id: int
    name: str
    output: _Output
    conclusion: str | None = None


class _Runs(Struct):
    check_runs: list[_Run]


class _Annotation(Struct):
    path: str
    start_line: int
    message: str | None = None


class _Status(Struct):
    id: int
    state: str
    context: str = ""
    description: str | None = None
    target_url: str | None = None


class _Combined(Struct):
    statuses: list[_Status]


async def failing(github: GitHub, head: str) -> list[Failing]:
    """The checks that have failed on a commit, each as it was run last. Raises ForgeError."""
    return [*await _runs(github, head), *await _statuses(github, head)]


async def _runs(github: GitHub, head: str) -> list[Failing]:
    found: list[Failing] = []
    for page in range(1, PAGES + 1):
        query = {"filter": "latest", "per_page": str(PAGE), "page": str(page)}
        runs = (await github.ask("GET", f"{github.path}/commits/{head}/check-runs", _Runs, query=query)).check_runs
        found += [await _run(github, run) for run in runs if run.conclusion in FAILED]
        if len(runs) < PAGE:
            break
    return found


async def _run(github: GitHub, run: _Run) -> Failing:
    path = f"{github.path}/check-runs/{run.id:d}/annotations"
    notes = await github.ask("GET", path, list[_Annotation], query={"per_page": str(PAGE)})
    parts = [part for part in (run.output.title, run.output.summary, run.output.text) if part]
    parts += [f"{note.path}:{note.start_line}: {note.message or ''}" for note in notes]
    return Failing(f"check-{run.id:d}", run.name, "\n".join(parts))


async def _statuses(github: GitHub, head: str) -> list[Failing]:
    found: list[Failing] = []
    for page in range(1, PAGES + 1):
        query = {"per_page": str(PAGE), "page": str(page)}
        part = (await github.ask("GET", f"{github.path}/commits/{head}/status", _Combined, query=query)).statuses
        found += [
            Failing(f"status-{one.id:d}", one.context, "\n".join(filter(None, [one.description, one.target_url])))
            for one in part
            if one.state in RED
        ]
        if len(part) < PAGE:
            break
    return found
