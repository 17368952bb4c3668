"""Taking over from a worker that is gone: what it has left on the branch, and which leases still have to end."""

from locus.local.git.history import history
from locus.local.text import duration
from locus.local.worker import told
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace
from locus.wire.agents import Agent, AgentLiveness

GONE = frozenset({AgentLiveness.SILENT, AgentLiveness.LOST, AgentLiveness.STOPPED})


async def look_around(work: Workplace, site: Site) -> None:
    """Tell what there is to take over. Nobody's lease is ended by it: each ends by itself when its worker is gone.

    Raises PlaneError, LocalError, GitError.
    """
    head = await site.fetch_head()
    done = []
    if head is not None and site.fetched is not None:
        done = [one for one in await history(site.git, site.fetched.base, head) if one.task]
    if done and head is not None:
        tasks = ", ".join(dict.fromkeys(one.task for one in done if one.task))
        text = f"{site.branch} has work on {tasks} already, up to {head[:7]}. This run goes on there."
        work.tell(told.Note(text=text))
    else:
        work.tell(told.Note(text=f"{site.branch} has no work yet."))
    async for agent in work.plane.agents.all():
        if agent.task_key is not None:
            work.tell(told.Note(text=_holds(agent)))


def _holds(agent: Agent) -> str:
    if agent.liveness not in GONE:
        return f"{agent.task_key} is with {agent.name}, which is {agent.liveness.value}."
    left = duration((agent.lease_expires_in_ms or 0) / 1000)
    return (
        f"{agent.task_key} is with {agent.name}, which is {agent.liveness.value}. Unless it comes back, its lease ends"
        f" in {left}, and the task can be claimed here."
    )
