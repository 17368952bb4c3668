"""Plans: proposed sprints. Their ids are made here, so that sending one twice is sending it once."""

from collections.abc import AsyncIterator
from uuid import UUID

from locus.client.subject import Subject, every, segment
from locus.wire.plans import (
    Plan,
    PlanApproval,
    PlanApproved,
    PlanDraft,
    PlanForecast,
    PlanProposal,
    PlanRejection,
    PlanStatus,
)


class Plans(Subject):
    def all(self, *, status: PlanStatus | None = None) -> AsyncIterator[Plan]:
        """All plans, newest first."""
        return every(self._transport, self._path("/plans"), Plan, {"status": status})

    async def get(self, plan_id: UUID) -> Plan:
        return await self._transport.get(self._path(f"/plans/{segment(plan_id)}"), Plan)

    async def forecast(self, tasks: int) -> PlanForecast:
        """What so many tasks may cost and take."""
        return await self._transport.get(self._path("/plans/forecast"), PlanForecast, parameters={"tasks": tasks})

    async def propose(self, plan_id: UUID, draft: PlanDraft) -> Plan:
        """Send a plan for somebody to decide about; Conflict when somebody has."""
        return await self._transport.post(self._path("/plans"), PlanProposal(id=plan_id, plan=draft), Plan)

    async def approve(self, plan_id: UUID, approval: PlanApproval) -> PlanApproved:
        """Turn it into a sprint; Conflict when it was decided otherwise, or approved as another version."""
        path = self._path(f"/plans/{segment(plan_id)}/approve")
        return await self._transport.post(path, approval, PlanApproved)

    async def reject(self, plan_id: UUID, feedback: str) -> Plan:
        path = self._path(f"/plans/{segment(plan_id)}/reject")
        return await self._transport.post(path, PlanRejection(feedback=feedback), Plan)

    async def cancel(self, plan_id: UUID) -> Plan:
        return await self._transport.post(self._path(f"/plans/{segment(plan_id)}/cancel"), None, Plan)
