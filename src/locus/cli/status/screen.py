"""How things stand, on one screen. Pure: lines of styled text, for a terminal or for a pipe."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from locus.cli.output import Cell
from locus.cli.status.standing import Standing
from locus.cli.text import BARS, GLYPHS, STYLES, duration, safe
from locus.local.text import WHY
from locus.wire.agents import Agent, AgentLiveness, HostClass
from locus.wire.sprints import Sprint, TaskCounts
from locus.wire.tasks import Status, Task

Line = list[Cell]

AGENTS_SHOWN = 8
NEXT_SHOWN = 5
WAITING_SHOWN = 8
DOTS = 30  # a sprint of more tasks is shown to scale
NARROWEST = 12  # cells that a title keeps on the narrowest terminal

LIVENESS: dict[AgentLiveness, tuple[str, str]] = {
    AgentLiveness.LIVE: ("●", "green"),
    AgentLiveness.SILENT: ("◌", "yellow"),
    AgentLiveness.PARKED: ("◷", "yellow"),
    AgentLiveness.ASLEEP: ("☾", "yellow"),
    AgentLiveness.LOST: ("✗", "red"),
    AgentLiveness.STOPPED: ("○", "dim"),
}
# The order in which the tasks of a sprint appear in its row of dots.
ORDER: tuple[tuple[Status, str], ...] = (
    (Status.DONE, "done"),
    (Status.IN_REVIEW, "in_review"),
    (Status.IN_PROGRESS, "in_progress"),
    (Status.BLOCKED, "blocked"),
    (Status.BACKLOG, "backlog"),
)


def lines(standing: Standing, *, now: datetime, width: int | None) -> list[Line]:
    """The whole screen. `width` is the terminal's, in cells; None cuts nothing, for a pipe."""
    parts = [
        _sprint(standing),
        _agents(standing, now, width),
        _next_up(standing, width),
        _waits_for_you(standing, width),
    ]
    told: list[Line] = []
    for part in parts:
        if part:
            told += [[], *part] if told else part
    return told


def summary(standing: Standing) -> str:
    """How things stand in one line without styles, for a log."""
    if standing.sprint is None:
        return "no active sprint"
    told = [f"sprint {standing.sprint.number}: {_counted(standing.sprint.tasks)}"]
    told += [f"{agent.name} {_doing(agent)}" for agent in standing.agents]
    return "; ".join(told)


def _sprint(standing: Standing) -> list[Line]:
    sprint = standing.sprint
    if sprint is None:
        return _no_sprint(standing)
    title = f"Sprint {sprint.number} · {sprint.name}"
    counted = Cell(f"  {_counted(sprint.tasks)}")
    told = [[Cell(title, "bold"), Cell(f"   {standing.workspace}", "dim")], [*_dots(sprint), counted]]
    if not _total(sprint.tasks):
        told += [_hint("It has no tasks yet:", 'locus tasks add "..." --sprint active')]
    elif sprint.tasks.done == _total(sprint.tasks):
        told += [_hint("Everything is done:", f"locus sprints complete {sprint.number}")]
    return told


def _no_sprint(standing: Standing) -> list[Line]:
    told: list[Line] = [[Cell("No sprint is active", "bold"), Cell(f"   {standing.workspace}", "dim")]]
    planned = standing.planned
    if planned is None:
        return [*told, _hint("Begin one:", 'locus sprints add "..." --start')]
    return [*told, _hint(f"Start sprint {planned.number} · {planned.name}:", f"locus sprints start {planned.number}")]


def _dots(sprint: Sprint) -> Line:
    counts, total = sprint.tasks, _total(sprint.tasks)
    scale = min(1.0, DOTS / total) if total else 1.0
    row: Line = []
    for status, name in ORDER:
        # Rounded up, so that the only blocked task of a hundred is not lost.
        dots = -int(-getattr(counts, name) * scale // 1)
        if dots:
            row.append(Cell(GLYPHS[status] * dots, STYLES[status]))
    return row


def _counted(counts: TaskCounts) -> str:
    told = [f"{counts.done}/{_total(counts)} done"]
    rest = ((counts.in_review, "in review"), (counts.in_progress, "in progress"), (counts.blocked, "blocked"))
    return " · ".join([*told, *(f"{number} {name}" for number, name in rest if number)])


def _total(counts: TaskCounts) -> int:
    return sum(getattr(counts, name) for _, name in ORDER)


def _agents(standing: Standing, now: datetime, width: int | None) -> list[Line]:
    if not standing.agents:
        nothing_to_do = standing.sprint is None or not standing.next_up
        return [] if nothing_to_do else [_heading("Agents"), _hint("None is at work:", "locus run")]
    passed = (now - standing.asked_at).total_seconds()
    rows = [_agent(agent, passed, now) for agent in standing.agents[:AGENTS_SHOWN]]
    return [_heading("Agents"), *_aligned(rows, grows=None, width=width), *_more(standing.agents, AGENTS_SHOWN, "")]


def _agent(agent: Agent, passed: float, now: datetime) -> Line:
    glyph, style = LIVENESS[agent.liveness]
    lease = ""
    if agent.lease_expires_in_ms is not None and agent.task_key is not None:
        lease = f"lease {duration(agent.lease_expires_in_ms / 1000 - passed)}"
    elif agent.liveness in (AgentLiveness.SILENT, AgentLiveness.LOST):
        lease = f"last heard of {duration((now - agent.last_heartbeat_at).total_seconds())} ago"
        if agent.host_class is HostClass.LAPTOP:
            lease += ", perhaps asleep"  # it says so when it wakes up
    provider = " ".join(part for part in (agent.provider, agent.provider_version, agent.model) if part)
    return [Cell(glyph, style), Cell(agent.name), Cell(provider, "dim"), Cell(_doing(agent), style), Cell(lease, "dim")]


def _doing(agent: Agent) -> str:
    if agent.liveness is AgentLiveness.PARKED and agent.parked_until is not None:
        return f"parked until {agent.parked_until.astimezone():%H:%M}"
    if agent.liveness is AgentLiveness.ASLEEP and agent.task_key is None:
        return "was asleep, just woke up"
    if agent.task_key is None:
        return "idle" if agent.liveness is AgentLiveness.LIVE else str(agent.liveness)
    phase = f" {agent.phase}" if agent.phase else ""
    state = "" if agent.liveness is AgentLiveness.LIVE else f" ({agent.liveness})"
    return f"{agent.task_key}{phase}{state}"


def _next_up(standing: Standing, width: int | None) -> list[Line]:
    if not standing.next_up:
        return []
    rows = [
        [Cell(str(place), "dim"), Cell(task.key, "bold"), Cell(BARS[task.priority]), Cell(task.title)]
        for place, task in enumerate(standing.next_up[:NEXT_SHOWN], 1)
    ]
    more = _more(standing.next_up, NEXT_SHOWN, "locus tasks list --sprint active")
    return [_heading("Next up"), *_aligned(rows, grows=3, width=width), *more]


def _waits_for_you(standing: Standing, width: int | None) -> list[Line]:
    waiting = [*standing.reviews, *standing.blocked]
    if not waiting:
        return [] if standing.sprint is None else [[Cell("Nothing waits for you.", "dim")]]
    rows = [_waiting(task) for task in waiting[:WAITING_SHOWN]]
    more = _more(waiting, WAITING_SHOWN, "locus tasks list --status in_review --status blocked")
    hint = [_hint("Look at one, then decide:", f"locus tasks show {waiting[0].key}")]
    return [_heading("Waits for you"), *_aligned(rows, grows=2, width=width), *more, *hint]


def _waiting(task: Task) -> Line:
    if task.status is Status.IN_REVIEW:
        what, style = f"review {task.commit[:7]}" if task.commit else "review", "dim"
    else:
        what, style = WHY[task.blocked_reason] if task.blocked_reason else "blocked", STYLES[Status.BLOCKED]
    return [Cell(GLYPHS[task.status], STYLES[task.status]), Cell(task.key, "bold"), Cell(task.title), Cell(what, style)]


def _heading(text: str) -> Line:
    return [Cell(text, "bold")]


def _hint(says: str, command: str) -> Line:
    return [Cell(f"  {says}  "), Cell(command, "bold")]


def _more(items: Sequence[object], shown: int, command: str) -> list[Line]:
    rest = len(items) - shown
    return [[Cell(f"  and {rest} more   {command}".rstrip(), "dim")]] if rest > 0 else []


def _aligned(rows: Sequence[Line], *, grows: int | None, width: int | None) -> list[Line]:
    """Rows with columns of equal width; column `grows` is cut where the terminal is too narrow for all."""
    texts = [[safe(cell.text) for cell in row] for row in rows]
    widths = [max(cell_len(row[i]) for row in texts) for i in range(len(texts[0]))]
    if width is not None and grows is not None:
        others = sum(widths) - widths[grows] + 2 * len(widths)
        widths[grows] = min(widths[grows], max(NARROWEST, width - others))
    told = []
    for row, line in zip(texts, rows, strict=True):
        cells = [Cell("  ")]
        for i, (text, cell) in enumerate(zip(row, line, strict=True)):
            last = i == len(row) - 1
            fitted = _cut(text, widths[i])
            cells.append(Cell(fitted if last else set_cell_size(fitted, widths[i]) + "  ", cell.style))
        told.append(cells)
    return told


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
