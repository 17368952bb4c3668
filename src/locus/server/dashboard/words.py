"""The words and glyphs of the pages: one name for each status, and amounts as people read them."""

from datetime import UTC, date, datetime, timedelta

from locus.wire.plans import PlanStatus, Severity
from locus.wire.tasks import BlockedReason, Phase, Priority, Role, Status
from locus.wire.work import FailReason, OutcomeKind, ReleaseReason

STATUS = {
    Status.BACKLOG: "Backlog",
    Status.IN_PROGRESS: "In progress",
    Status.IN_REVIEW: "In review",
    Status.DONE: "Done",
    Status.BLOCKED: "Blocked",
}
# The meanings of the look; each is a colour in tokens.css, and never the only sign.
TONE = {
    Status.BACKLOG: "idle",
    Status.IN_PROGRESS: "working",
    Status.IN_REVIEW: "review",
    Status.DONE: "done",
    Status.BLOCKED: "blocked",
}
PLAN = {
    PlanStatus.PROPOSED: "Waits for a decision",
    PlanStatus.APPROVED: "Approved",
    PlanStatus.REJECTED: "Sent back",
    PlanStatus.CANCELLED: "Given up",
}
PLAN_TONE = {
    PlanStatus.PROPOSED: "review",
    PlanStatus.APPROVED: "done",
    PlanStatus.REJECTED: "blocked",
    PlanStatus.CANCELLED: "idle",
}
SEVERITY_TONE = {Severity.LOW: "idle", Severity.MEDIUM: "blocked", Severity.HIGH: "failed"}
PRIORITY = {
    Priority.CRITICAL: "Critical",
    Priority.HIGH: "High",
    Priority.MEDIUM: "Medium",
    Priority.LOW: "Low",
}
ROLE = {
    Role.BACKEND: "Backend",
    Role.FRONTEND: "Frontend",
    Role.QA: "QA",
    Role.PM: "Product",
    Role.DESIGN: "Design",
}
PHASE = {
    Phase.CLAIMED: "claimed",
    Phase.PREPARING: "preparing",
    Phase.AGENT: "agent at work",
    Phase.CHECKS: "running checks",
    Phase.PUSHING: "pushing",
    Phase.REPORTING: "reporting",
}
BLOCKED = {
    BlockedReason.NO_CHANGE: "The agent finished and changed nothing",
    BlockedReason.ATTEMPTS_EXHAUSTED: "Every attempt failed",
    BlockedReason.CHECKS_FAILED: "Checks stayed red on the last attempt",
    BlockedReason.NEEDS_INPUT: "Needs an answer from a person",
    BlockedReason.POLICY: "The change waits for a person to look at it",
    BlockedReason.CONFLICT: "The work no longer fits on the branch",
    BlockedReason.PUSH_REFUSED: "The remote refused the push",
    BlockedReason.DEPENDENCY: "Waits for something else",
    BlockedReason.MANUAL: "Blocked by a person",
}
FAILED = {
    FailReason.AGENT_FAILED: "agent failed",
    FailReason.AGENT_CRASHED: "agent crashed",
    FailReason.AGENT_SILENT: "agent went silent",
    FailReason.WALL_LIMIT: "time limit reached",
    FailReason.BUDGET: "budget used up",
    FailReason.REFUSED: "the model declined",
    FailReason.CHECKS_FAILED: "checks are red",
    FailReason.NO_CHANGE: "nothing changed",
    FailReason.POLICY: "held for a person",
    FailReason.UNSTAGEABLE: "the change cannot be committed",
    FailReason.CONFLICT: "conflicts with the branch",
    FailReason.PUSH_REFUSED: "push refused",
    FailReason.SETUP_FAILED: "setup failed",
    FailReason.CANCELLED: "cancelled",
    FailReason.LEASE_EXPIRED: "machine lost",
    FailReason.PROVIDER_DOWN: "provider down",
    FailReason.USAGE_LIMIT: "usage limit reached",
    FailReason.NOT_SIGNED_IN: "agent not signed in",
    FailReason.AGENT_UNUSABLE: "agent cannot be used",
    FailReason.REMOTE_UNREACHABLE: "remote unreachable",
    FailReason.DISK_FULL: "disk full",
}
RELEASED = {
    ReleaseReason.INTERRUPTED: "interrupted",
    ReleaseReason.STOPPED: "run stopped",
    ReleaseReason.SELF_FENCED: "lost contact",
    ReleaseReason.UNDELIVERED: "not delivered",
}
OUTCOME = {
    OutcomeKind.COMPLETED: "completed",
    OutcomeKind.FAILED: "failed",
    OutcomeKind.RELEASED: "given back",
    OutcomeKind.EXPIRED: "machine lost",
}


def plain(word: str) -> str:
    """A value that has no words of its own yet: `task.cancel_requested` as "task cancel requested"."""
    return word.replace("_", " ").replace(".", " ").lower()


def duration(seconds: float) -> str:
    """A length of time in at most two units: 4 s, 3 min 7 s, 30 min, 2 h 5 min, 3 d. Never 3:07, which may be hours."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 3600:
        return f"{whole // 60} min"  # seconds say nothing more
    if whole < 86_400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return f"{whole // 86_400} d"


def _two(much: int, unit: str, rest: int, smaller: str) -> str:
    return f"{much} {unit} {rest} {smaller}" if rest else f"{much} {unit}"


def ago(moment: datetime) -> str:
    """How long ago something was; the exact time belongs into the title."""
    passed = (datetime.now(UTC) - moment).total_seconds()
    if passed < 45:
        return "just now"
    if passed < 3600:
        return f"{max(1, round(passed / 60))} min ago"
    if passed < 86_400:
        return f"{round(passed / 3600)} h ago"
    if passed < 14 * 86_400:
        return f"{round(passed / 86_400)} d ago"
    return day(moment.date())


def exact(moment: datetime) -> str:
    """A moment to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def about(moment: datetime) -> str:
    """A moment to come, no more exactly than it can be foreseen: the time of day if it is near, else the day."""
    near = moment - datetime.now(UTC) < timedelta(hours=20)
    return clock(moment) if near else day(moment.date())


def clock(moment: datetime) -> str:
    """The time of day, in UTC: 14:05."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def day(value: date) -> str:
    """A day: 3 Nov, with the year when it is another one."""
    year = "" if value.year == datetime.now(UTC).year else f" {value.year}"
    return f"{value.day} {value:%b}{year}"


def usd(micros: int | None) -> str:
    """Money in dollars; a dash when the price is not known."""
    if micros is None:
        return "–"
    dollars = micros / 1_000_000
    return f"${dollars:,.2f}" if dollars >= 0.01 or micros == 0 else "< $0.01"


def amount(number: int) -> str:
    """A large number in three digits: 940, 12.3k, 1.2M."""
    if number < 1_000:
        return str(number)
    for limit, unit in ((1_000_000, "k"), (1_000_000_000, "M"), (10**15, "G")):
        if number < limit:
            scaled = number / (limit / 1_000)
            return f"{scaled:.1f}{unit}" if scaled < 100 else f"{scaled:.0f}{unit}"
    return "many"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 task, 2 tasks."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
