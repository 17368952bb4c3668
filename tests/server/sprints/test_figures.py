"""Cost, pace and durations, against histories that were counted by hand."""

import httpx
from tests.server.sprints.histories import History, hour
from tests.server.tasks.planning import Planner, handed_in, told

from locus.server.db.pool import Pool
from locus.server.sprints import figures, matrix
from locus.wire.reports import CellState, EvidenceMatrix, Figures

HOUR = 3_600_000  # milliseconds


def evidence(check: str, *, passed: bool = True, tests: int | None = None) -> dict[str, object]:
    return {
        "check": check,
        "passed": passed,
        "exit_code": 0 if passed else 1,
        "duration_ms": 1500,
        "output_sha256": "0" * 64,
        "commit": "a" * 40,
        "tests": tests,
    }


async def test_an_accepted_task_costs_what_all_attempts_of_the_sprint_took(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0)
    done, failed = await past.task(sprint, at=-1), await past.task(sprint, at=-1)
    elsewhere = await past.task(None, at=-1)
    await past.attempt(done, at=0, ended=1, usd=0.5, tokens=100, outcome="failed")
    await past.attempt(done, at=1, ended=2, fence=2, usd=1.0, tokens=200)
    await past.attempt(failed, at=2, ended=3, usd=None, tokens=50, outcome="failed")
    await past.attempt(failed, at=3, ended=4, fence=2, counted=False, outcome="expired")
    await past.attempt(elsewhere, at=0, ended=1, usd=100)
    await past.becomes(done, "DONE", at=5)

    found = await figures.of_sprint(pool, past.workspace_id, sprint)

    assert found.usd_micros == 1_500_000
    assert found.usd_micros_per_accepted == 1_500_000
    assert (found.attempts, found.unpriced, found.accepted) == (4, 1, 1)
    assert (found.input_tokens, found.output_tokens) == (350, 30)


async def test_without_a_known_price_the_cost_of_a_task_is_not_told(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0)
    task = await past.task(sprint, at=-1)
    await past.attempt(task, at=0, ended=1, usd=None)
    await past.becomes(task, "DONE", at=2)

    assert (await figures.of_sprint(pool, past.workspace_id, sprint)).usd_micros_per_accepted is None


async def test_durations_are_from_making_and_from_the_first_claim_to_acceptance(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0, ended=30, name="First")
    for number, (claimed, accepted) in enumerate(((1, 3), (2, 6), (3, 9))):
        task = await past.task(sprint, at=0, title=f"Task {number}")
        await past.attempt(task, at=claimed, ended=claimed + 0.5)
        await past.attempt(task, at=claimed + 0.6, ended=claimed + 0.7, fence=2)
        await past.becomes(task, "DONE", at=accepted)
    by_hand = await past.task(sprint, at=0)
    await past.becomes(by_hand, "DONE", at=12)
    await past.task(sprint, at=0)

    found = await figures.of_workspace(pool, past.workspace_id)

    assert found.lead.tasks == 4
    assert found.lead.median_ms == 7.5 * HOUR
    assert found.cycle.tasks == 3
    assert found.cycle.median_ms == 4 * HOUR
    assert [(pace.number, pace.name, pace.accepted, pace.open) for pace in found.sprints] == [(1, "First", 4, 1)]
    assert found.sprints[0].completed_at == hour(30)


async def test_the_figures_of_an_empty_workspace_are_empty(plan: Planner, api: httpx.AsyncClient) -> None:
    found = told(await api.get(plan.path("/figures")), Figures)

    assert found.sprints == []
    assert (found.lead.tasks, found.lead.median_ms) == (0, None)
    assert found.last_day.usd_micros == 0
    assert found.daily_budget_usd_micros is None


async def test_the_matrix_tells_what_is_proved_what_is_red_and_what_is_missing(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0)
    await pool.execute("UPDATE workspaces SET required_checks = '{unit}' WHERE id = $1", past.workspace_id)
    items = [{"id": "a", "text": "lint", "check": "lint"}]
    proved = await past.task(sprint, at=0, checklist=items)
    await past.task(sprint, at=0)
    await past.attempt(proved, at=1, ended=2, evidence=[evidence("unit", tests=3), evidence("types")])
    await past.attempt(
        proved, at=3, ended=4, fence=2, evidence=[evidence("unit", tests=41), evidence("lint", passed=False)]
    )
    await past.attempt(proved, at=5, ended=6, fence=3, outcome="released")

    found = await matrix.of_sprint(pool, past.workspace_id, sprint)

    assert found.checks == ["lint", "unit"]
    assert [[cell.state for cell in row.cells] for row in found.rows] == [
        [CellState.FAILED, CellState.PASSED],
        [CellState.NOT_ASKED, CellState.MISSING],
    ]
    assert (found.rows[0].cells[1].tests, found.rows[0].cells[1].duration_ms) == (41, 1500)


async def test_the_matrix_is_read_by_the_number_of_a_sprint(plan: Planner, api: httpx.AsyncClient) -> None:
    sprint = await plan.sprint(start=True)
    task = await plan.task(sprint_id=sprint.id, checklist=[{"text": "Unit tests", "check": "unit"}])
    await handed_in(plan.server.pool, task, green=("unit",))

    found = told(await api.get(plan.path(f"/sprints/{sprint.number}/evidence")), EvidenceMatrix)

    assert [(row.key, row.cells[0].state) for row in found.rows] == [(task.key, CellState.PASSED)]
    assert (await api.get(plan.path("/sprints/99/evidence"))).status_code == 404
