"""Routes of reports: a sprint's history and evidence, and the pace of a workspace."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.auth.principals import Principal
from locus.server.events.log import Log
from locus.server.sprints import figures, matrix, reports, store
from locus.wire.reports import EvidenceMatrix, Figures, SprintReport
from locus.wire.workspaces import Purpose

ONE = "/workspaces/{workspace_id:uuid}/sprints/{sprint:str}"


@get(ONE + "/report", operation_id="get_sprint_report", tags=["sprints"])
async def get_sprint_report(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> SprintReport:
    """Tell a sprint's history (burn-down, cumulative flow), when it will be done, and what it cost."""
    principal.enter(workspace_id, Purpose.READ)
    return await reports.of_sprint(log.pool, workspace_id, await store.find(log.pool, workspace_id, sprint))


@get(ONE + "/evidence", operation_id="get_sprint_evidence", tags=["sprints"])
async def get_sprint_evidence(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> EvidenceMatrix:
    """Tell which checks have been seen green for which tasks of a sprint."""
    principal.enter(workspace_id, Purpose.READ)
    sprint_id = await store.find(log.pool, workspace_id, sprint)
    await store.get(log.pool, workspace_id, sprint_id)
    return await matrix.of_sprint(log.pool, workspace_id, sprint_id)


@get("/workspaces/{workspace_id:uuid}/figures", operation_id="get_figures", tags=["sprints"])
async def get_figures(
    workspace_id: FromPath[UUID], principal: NamedDependency[Principal], log: NamedDependency[Log]
) -> Figures:
    """Tell the pace of the last sprints, how long tasks take, and what the last day cost."""
    principal.enter(workspace_id, Purpose.READ)
    return await figures.of_workspace(log.pool, workspace_id)


ROUTES = [get_sprint_report, get_sprint_evidence, get_figures]
