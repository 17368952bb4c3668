"""The report of a sprint: its history, what it cost, and when it will be done."""

from uuid import UUID

from locus.server.db.pool import Db
from locus.server.sprints import figures, forecast, series, store
from locus.wire.reports import SprintReport
from locus.wire.sprints import SprintStatus


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID) -> SprintReport:
    """Everything that is told of one sprint, or NotFound.

    Raises:
        NotFound: there is no such sprint here.
    """
    sprint = await store.get(db, workspace_id, sprint_id)
    points = await series.of_sprint(db, workspace_id, sprint_id)
    ahead = None
    if sprint.status is SprintStatus.ACTIVE:
        counts = sprint.tasks
        left = counts.backlog + counts.in_progress + counts.in_review + counts.blocked
        gaps = await figures.gaps(db, workspace_id)
        ahead = forecast.forecast(gaps, left, points[-1].at if points else await figures.now(db))
    return SprintReport(
        sprint=sprint, points=points, forecast=ahead, spending=await figures.of_sprint(db, workspace_id, sprint_id)
    )
