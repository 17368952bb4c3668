"""What an agent says and does, in words: for everything that shows an agent at work, a run or not."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from locus.local.providers.base import Finished, Limit, Notice, Text, ToolStarted, Usage
from locus.local.text import duration

SMALLEST_COIN = 0.01  # US dollars
NEARLY_ALL = 0.9  # of an allowance; then it is worth a line


def clock(moment: datetime) -> str:
    """A time of the day here, with the day when it is not today's."""
    here = moment.astimezone()
    today = datetime.now().astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here:%a %d %b %H:%M}"


def agent_line(event: object) -> str | None:
    """What is worth a line of what an agent says or does; None for the rest."""
    match event:
        case ToolStarted(name=name, summary=summary):
            return f"{name} {summary}".strip()
        case Text(text=text):
            lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
            return lines[0] if lines else None
        case Notice(text=text):
            return text
        case Limit(rejected=True, resets_at=resets_at):
            return "usage limit reached" + (f", resets at {clock(resets_at)}" if resets_at else "")
        case Limit(utilization=used, kind=kind, resets_at=resets_at) if used is not None and used >= NEARLY_ALL:
            until = f", which ends at {clock(resets_at)}" if resets_at else ""
            return f"{used:.0%} of the {kind.replace('_', ' ')} usage limit{until}, is used"
        case _:
            return None


def spent(finished: Finished) -> str:
    """Turns, tokens and money of one agent run, as far as they are known."""
    parts = [count(finished.turns, "turn")] if finished.turns else []
    usage: Usage = finished.usage
    if usage.tokens:
        parts.append(f"{usage.tokens:,} tokens")
    if usage.usd is not None:
        parts.append(f"{money(usage.usd)}{' by list prices' if usage.by_list else ''}")
    elif usage.tokens:
        parts.append("cost unknown")
    return ", ".join(parts)


def spent_by_all(runs: Sequence[Finished]) -> str:
    """As `spent`, of several runs together; nothing of none."""
    usage = Usage()
    for run in runs:
        usage += run.usage
    return spent(replace(runs[-1], turns=sum(run.turns for run in runs), usage=usage)) if runs else ""


def money(usd: float) -> str:
    """US dollars, to the cent."""
    return f"${usd:.2f}" if usd >= SMALLEST_COIN or not usd else "less than $0.01"


def count(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lasted(seconds: float) -> str:
    """A duration as people read it: 0.4 s, 12 s, 4 min 10 s; of what is short, to a tenth of a second."""
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)
