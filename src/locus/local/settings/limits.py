"""The settings that say how much a run may take. What they mean is in `journal/limits.py`."""

from locus.local.settings.kinds import Amount, Choice, Whole
from locus.local.settings.setting import Setting

MOST = 999_999_999
YOUR_MONEY = "a repository could spend more of your money than you allow"


def _counted(scope: str, what: str, *, project: bool) -> tuple[Setting, ...]:
    """Turns, tokens and US dollars of one scope."""
    kinds = (
        ("turns", Whole(1, MOST), f"Most answers of the model for {what}; no limit if left out."),
        ("tokens", Whole(1, MOST), f"Most tokens for {what}, cached ones included; no limit if left out."),
        ("usd", Amount(0.01, 1_000_000.0, "US dollars"), f"Most US dollars for {what}; no limit if left out."),
    )
    return tuple(
        Setting(
            name=f"{scope}_{name}",
            kind=kind,
            doc=doc,
            project=f"limits.{scope}_{name}" if project else None,
            why_not="" if project else YOUR_MONEY,
        )
        for name, kind, doc in kinds
    )


LIMITS: tuple[Setting, ...] = (
    Setting(
        name="max_tasks",
        kind=Whole(1, 10_000),
        doc="Most tasks that one run takes; no limit if left out.",
        project="limits.max_tasks",
    ),
    Setting(
        name="wall_minutes",
        kind=Whole(1, 1440, "minutes"),
        default=60,
        doc="Longest time one attempt at a task may take.",
        project="limits.wall_minutes",
    ),
    Setting(
        name="silence_minutes",
        kind=Whole(1, 1440, "minutes"),
        default=10,
        doc="Longest time an agent may say nothing.",
        project="limits.silence_minutes",
    ),
    Setting(
        name="check_rounds",
        kind=Whole(0, 20),
        default=3,
        doc="How often red checks go back to the agent before the attempt fails.",
        project="limits.check_rounds",
    ),
    *_counted("task", "one task, all attempts of this machine since it was last given to agents", project=True),
    Setting(
        name="run_minutes",
        kind=Whole(1, 100_000, "minutes"),
        doc="Longest time that one run may take; no limit if left out.",
        why_not=YOUR_MONEY,
    ),
    *_counted("run", "one run", project=False),
    Setting(
        name="day_minutes",
        kind=Whole(1, 100_000, "minutes"),
        doc="Longest time that agents may work on this machine in a day, all runs together; no limit if left out.",
        why_not=YOUR_MONEY,
    ),
    *_counted("day", "everything on this machine in a day", project=False),
    Setting(
        name="on_limit",
        kind=Choice(("wait", "switch", "stop")),
        default="wait",
        doc="When the provider's usage limit is reached: wait for its end, switch to another provider, or stop.",
        why_not="a repository could have work done with another account of yours",
    ),
)
