"""The one pull request of a sprint: looked up first, created once, updated afterwards, linked to its tasks."""

import asyncio
from collections.abc import Iterable, Sequence

from locus.client.errors import PlaneError
from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.local.errors import LocalError
from locus.local.forge.base import Forge, ForgeError, Proposal, PullRequest, State, propose as ensure
from locus.local.forge.table import forge_for
from locus.local.worker import told
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace
from locus.wire.base import MAX_BATCH
from locus.wire.sprints import Sprint
from locus.wire.tasks import PullRequestLink, Status, Task
from locus.wire.work import Attempt, Evidence, OutcomeKind

TRIES = 3
PAUSE = 5.0  # seconds before another try, unless the forge names a time
LONGEST_PAUSE = 60.0
ASKED_AT_ONCE = 8  # attempts; one after another, a long sprint would keep a run waiting at its end


async def propose(work: Workplace, site: Site, sprint: Sprint) -> bool:
    """See to it that the sprint's branch has its pull request, if there is work on it. False when that went wrong.

    Trouble with the forge takes nothing back: the work is on the remote, and the next run tries again.
    """
    try:
        done = await reviewable(work.plane, sprint, site.branch)
        if not done:
            return True
        place = work.state / "pull-requests"
        forge = await forge_for(work.checkout.remote, work.environment, place, choice=work.forge)
        existed = await forge.find(site.branch) is not None
        pull = await publish(forge, proposal(sprint, done, branch=site.branch, base=site.base_branch))
        tasks = [task for task, _ in done]
        head = await site.fetch_head() or tasks[-1].commit or ""
        await link(work.plane, pull, tasks, branch=site.branch, head=head)
    except (LocalError, PlaneError) as e:
        why = f"{e.message.rstrip('.')}. {e.remedy or ''}".strip()
        work.tell(told.Note(text=f"The work is on {site.branch}, but there is no pull request for it: {why}"))
        return False
    path = str(pull.path) if pull.state is State.WRITTEN else None
    work.tell(told.PullRequestReady(url=pull.url, path=path, created=not existed))
    return True


async def reviewable(plane: ControlPlane, sprint: Sprint, branch: str) -> list[tuple[Task, Attempt | None]]:
    """The tasks whose work is on the branch, in the order of the sprint, each with the attempt that did it."""
    wanted = Filter(status=(Status.IN_REVIEW, Status.DONE), sprint=str(sprint.id))
    tasks = [task async for task in plane.tasks.all(wanted) if task.branch == branch and task.commit]
    tasks.sort(key=lambda task: task.number)
    gate = asyncio.Semaphore(ASKED_AT_ONCE)
    return list(zip(tasks, await asyncio.gather(*(_completed(plane, task, gate) for task in tasks)), strict=True))


async def publish(forge: Forge, proposal: Proposal) -> PullRequest:
    """Create or update it; trouble that passes by itself is waited for, a few times. Raises ForgeError."""
    for attempt in range(1, TRIES + 1):
        try:
            return await ensure(forge, proposal)
        except ForgeError as e:
            if not e.passes or attempt == TRIES:
                raise
            await asyncio.sleep(min(e.retry_after or PAUSE * attempt, LONGEST_PAUSE))
    raise AssertionError("the last try returns or raises")


async def link(plane: ControlPlane, pull: PullRequest, tasks: Sequence[Task], *, branch: str, head: str) -> None:
    """Tell the control plane which pull request carries the tasks. Raises PlaneError."""
    if pull.url is None or pull.number is None:
        return
    for start in range(0, len(tasks), MAX_BATCH):
        ids = [task.id for task in tasks[start : start + MAX_BATCH]]
        await plane.tasks.link_pull_request(
            PullRequestLink(task_ids=ids, url=pull.url, number=pull.number, branch=branch, head=head)
        )


def proposal(sprint: Sprint, work: Sequence[tuple[Task, Attempt | None]], *, branch: str, base: str) -> Proposal:
    """What the reviewers read: the sprint, and for each task its commit, what proved it and how much it changed."""
    rows = "\n".join(_row(task, attempt) for task, attempt in work)
    goal = f"\n{sprint.goal.strip()}\n" if sprint.goal.strip() else ""
    body = f"""## Sprint {sprint.number}: {_plain(sprint.name)}
{goal}
| Task | Commit | Checks that we ran | Change |
|---|---|---|---|
{rows}

Each task is one commit, with the trailers `Task`, `Attempt`, `Agent` and `Evidence`. The checks were run by the
worker on the tree of that commit, not by the agent. To take one task back: `git revert` its commit.
"""
    return Proposal(head=branch, base=base, title=f"Sprint {sprint.number}: {sprint.name}", body=body)


async def _completed(plane: ControlPlane, task: Task, gate: asyncio.Semaphore) -> Attempt | None:
    async with gate:
        try:
            async for attempt in plane.tasks.attempts(task.id):
                if attempt.outcome is OutcomeKind.COMPLETED and attempt.commit == task.commit:
                    return attempt
        except PlaneError:
            return None  # the table says less; it is no reason for no pull request
    return None


def _row(task: Task, attempt: Attempt | None) -> str:
    numbers = attempt.numbers if attempt else None
    change = f"{numbers.files} files, +{numbers.lines_added} −{numbers.lines_removed}" if numbers else ""
    checks = _checks(attempt.evidence) if attempt else ""
    return f"| **{task.key}** {_plain(task.title)} | {(task.commit or '')[:10]} | {checks or 'none'} | {change} |"


def _checks(evidence: Iterable[Evidence]) -> str:
    return ", ".join(
        f"{'✓' if one.passed else '✗'} {one.check}" + (f" ({one.tests} tests)" if one.tests is not None else "")
        for one in evidence
    )


def _plain(text: str) -> str:
    """Other people's words inside a table: nothing in them is markup, a mention or a new cell."""
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]<>#|~!" else char for char in text)
    return escaped.replace("@", "@\u200b").replace("\n", " ")
