"""A plan for eyes: what it is for, its tasks, who waits for whom, what may go wrong, what it may cost."""

from collections.abc import Iterator, Sequence

import msgspec

from locus.cli.output import Cell, Output
from locus.cli.text import BARS, ago, duration
from locus.local.planning.kept import Kept, State
from locus.local.planning.sums import sums
from locus.wire.plans import PlanDraft, PlanForecast, PlanTask, Severity

STYLES = {
    State.PROPOSED: "blue",
    State.SENT: "magenta",
    State.APPROVED: "green",
    State.REJECTED: "yellow",
    State.CANCELLED: "dim",
}
RISKS = {Severity.LOW: "dim", Severity.MEDIUM: "", Severity.HIGH: "yellow"}


class Shown(Kept, kw_only=True):
    """A plan as `--json` tells it."""

    forecast: PlanForecast | None = None
    """What so many tasks may cost and take; null when nobody could be asked, or when it was decided about."""


def with_forecast(plan: Kept, forecast: PlanForecast | None) -> Shown:
    """The plan for programs."""
    return Shown(**msgspec.structs.asdict(plan), forecast=forecast)


def show(out: Output, plan: Kept, *, forecast: PlanForecast | None = None) -> None:
    """Everything about a plan."""
    draft = plan.draft
    out.line(Cell(f"Plan {plan.number}  {draft.name}", "bold"), Cell(f"  {plan.state.value}", STYLES[plan.state]))
    out.text(draft.goal)
    instead = f", instead of plan {plan.earlier}" if plan.earlier else ""
    out.line(Cell(f"{plan.provider}, {ago(plan.created_at)}{instead}, for: {plan.goal}", "dim"))
    for number, task in enumerate(draft.tasks, start=1):
        out.line()
        _task(out, number, task)
    out.line()
    out.line(Cell("Who waits for whom", "bold"))
    for line in graph(draft):
        out.line(f"  {line}")
    if draft.risks:
        out.line()
        out.line(Cell("Risks", "bold"))
        for risk in draft.risks:
            out.line(Cell(f"  {risk.severity.value.lower()}  ", RISKS[risk.severity]), risk.description)
            out.text(risk.mitigation)
    out.line()
    for line in sums([task.estimate_minutes for task in draft.tasks], forecast):
        out.line(line)
    if plan.feedback:
        out.line()
        out.line(Cell("Said against it, and against the ones before", "bold"))
        for said in plan.feedback:
            out.text(said)


def _task(out: Output, number: int, task: PlanTask) -> None:
    role = f"  {task.role.value.lower()}" if task.role else ""
    size = f"  {'●' * task.complexity}{'○' * (5 - task.complexity)}" if task.complexity else ""
    time = f"  {duration(task.estimate_minutes * 60)}" if task.estimate_minutes else ""
    labels = f"  {', '.join(task.labels)}" if task.labels else ""
    out.line(
        f"{number:>3} {BARS[task.priority]} ", Cell(task.title, "bold"), Cell(f"{role}{size}{time}{labels}", "dim")
    )
    if task.description:
        out.text(task.description)
    for item in task.checklist:
        proof = f"  proved by {item.check}{', red first' if item.red_first else ''}" if item.check else ""
        out.line(f"    □ {item.text}", Cell(proof, "dim"))


def graph(draft: PlanDraft) -> list[str]:
    """The tasks as a tree: each under the last one that it waits for, with the others named beside it."""
    place = {task.ref: at for at, task in enumerate(draft.tasks)}
    waits = [sorted({place[ref] for ref in task.depends_on}) for task in draft.tasks]
    below: dict[int | None, list[int]] = {}
    for at, before in enumerate(waits):
        below.setdefault(before[-1] if before else None, []).append(at)
    return [line for root in below.get(None, []) for line in _branch(draft, below, waits, root, "", "")]


def _branch(
    draft: PlanDraft, below: dict[int | None, list[int]], waits: Sequence[Sequence[int]], at: int, joint: str, left: str
) -> Iterator[str]:
    others = ", ".join(str(one + 1) for one in waits[at][:-1])
    also = f"  (also after {others})" if others else ""
    yield f"{joint}{at + 1} {draft.tasks[at].title}{also}"
    children = below.get(at, [])
    for child in children:
        last = child == children[-1]
        yield from _branch(
            draft, below, waits, child, f"{left}{'└─ ' if last else '├─ '}", f"{left}{'   ' if last else '│  '}"
        )
