"""A run in one message: what its JSON lines have told so far, as a few lines that are edited in place. Pure."""

import time
from typing import Any

import msgspec
from msgspec import Struct, field

from locus.local.text import duration
from locus.telegram.markup import Line, bold, code, link, plain
from locus.wire.sprints import TaskCounts

BAR = 12  # blocks of the bar
SHOWN = 6  # finished tasks that the message names
PHASES = {
    "preparing": "preparing the tree",
    "agent_started": "agent",
    "check_started": "checks",
    "committed": "pushing",
    "pushed": "reporting",
}
GLYPHS = {"completed": "◉", "failed": "✗", "released": "↺", "lost": "✗"}


class Progress(Struct):
    """What is known of a run. `feed` takes its lines in order."""

    began: float = field(default_factory=time.time)
    sprint: str = ""
    branch: str = ""
    agent: str = ""
    key: str = ""
    title: str = ""
    attempt: str = ""
    phase: str = ""
    doing: str = ""
    checks: dict[str, bool | None] = field(default_factory=dict)  # None: at work
    ended: list[tuple[str, str, str]] = field(default_factory=list)  # glyph, key, what
    turns: int = 0
    tokens: int = 0
    usd: float | None = None
    waiting: bool = False
    note: str = ""
    why: str = ""
    pull_request: str = ""
    over: bool = False
    counts: TaskCounts | None = None  # of the sprint, asked from the control plane

    def feed(self, line: str) -> str:
        """Take a line and return its kind; empty when it is none."""
        try:
            told = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return ""
        kind = told.get("kind") if isinstance(told, dict) else None
        if not isinstance(kind, str):
            return ""
        self.waiting = kind == "waiting"
        self.phase = PHASES.get(kind, self.phase)
        taking = getattr(self, f"_{kind}", None)
        if taking is not None:
            taking(told)
        return kind

    # ---- what the lines mean

    def _run_started(self, told: dict[str, Any]) -> None:
        self.sprint, self.branch = _text(told, "sprint"), _text(told, "branch")
        self.agent = " ".join(_text(told, name) for name in ("provider", "model") if told.get(name))

    def _task_claimed(self, told: dict[str, Any]) -> None:
        self.key, self.title, self.doing = _text(told, "key"), _text(told, "title"), ""
        self.attempt = f"attempt {told.get('attempt')} of {told.get('attempt_cap')}"
        self.phase, self.checks = "claimed", {}

    def _preparing(self, told: dict[str, Any]) -> None:
        self.doing = _text(told, "command")

    def _agent_started(self, told: dict[str, Any]) -> None:
        self.doing = "reading what the checks said" if told.get("round_number") else ""
        self.checks = {}

    def _agent_event(self, told: dict[str, Any]) -> None:
        event = told.get("event")
        if not isinstance(event, dict):
            return
        if event.get("kind") == "tool_started":
            # The tool alone: what it was given may be code.
            self.doing = _text(event, "name")
        elif event.get("kind") == "finished":
            usage = event.get("usage") or {}
            self.turns += int(event.get("turns") or 0)
            self.tokens += int(usage.get("input_tokens") or 0) + int(usage.get("output_tokens") or 0)
            if usage.get("usd") is not None:
                self.usd = (self.usd or 0.0) + float(usage["usd"])

    def _asked(self, _: dict[str, Any]) -> None:
        self.doing = "waits for an answer"

    def _answered(self, _: dict[str, Any]) -> None:
        self.doing = ""

    def _check_started(self, told: dict[str, Any]) -> None:
        name = _text(told.get("check") or {}, "name")
        self.checks[name], self.doing = None, name

    def _check_finished(self, told: dict[str, Any]) -> None:
        result = told.get("result") or {}
        green = result.get("exit_code") == 0 and not result.get("fault") and not result.get("failed")
        self.checks[_text(result.get("check") or {}, "name")] = bool(green and result.get("tests") != 0)

    def _task_ended(self, told: dict[str, Any]) -> None:
        outcome = told.get("outcome") or {}
        how = str(outcome.get("kind"))
        words = {"completed": "in review", "released": "given back", "lost": "lost"}
        what = words.get(how) or str(outcome.get("reason") or how).replace("_", " ")
        self.ended.append((GLYPHS.get(how, "·"), _text(told, "key"), what))
        self.key = self.title = self.phase = self.doing = ""

    def _pull_request_ready(self, told: dict[str, Any]) -> None:
        self.pull_request = _text(told, "url")

    def _note(self, told: dict[str, Any]) -> None:
        self.note = _text(told, "text")

    def _stopping(self, _: dict[str, Any]) -> None:
        self.note = "Stopping: the work is parked and its task given back."

    def _run_ended(self, told: dict[str, Any]) -> None:
        self.why, self.over = _text(told, "why"), True

    # ---- how it looks

    def lines(self, *, now: float, job: int, state: str = "running") -> list[Line]:
        """The message. `state` is the job's."""
        glyph = {"running": "◐", "done": "✓", "failed": "✗", "stopped": "■", "lost": "✗"}.get(state, "·")
        head = f"{glyph} {bold(self.sprint or 'Run')}"
        told: list[Line] = [f"{head} · job {job} · {duration(now - self.began)}"]
        if self.counts is not None:
            told.append(bar(self.counts))
        if state == "running":
            told += self._now()
        told += [f"{g} {code(key)} {plain(what)}" for g, key, what in self.ended[-SHOWN:]]
        if len(self.ended) > SHOWN:
            told.append(f"… and {len(self.ended) - SHOWN} before")
        if spent := self.spent():
            told.append(spent)
        if self.note and state == "running":
            told.append(plain(self.note, most=300))
        if state != "running":
            told.append(plain(self.why or {"stopped": "Stopped.", "lost": "It ended with the bot."}.get(state, "")))
        if self.pull_request:
            told.append(link("Pull request", self.pull_request))
        return [line for line in told if line]

    def _now(self) -> list[Line]:
        if not self.key:
            return ["… waiting for a task" if self.waiting else "… beginning"]
        told: list[Line] = [f"▸ {code(self.key)} {plain(self.title)}"]
        parts = [self.attempt, self.phase, self.doing if self.doing != self.phase else ""]
        told.append("   " + plain(" · ".join(part for part in parts if part)))
        if self.checks:
            marks = {True: "✓", False: "✗", None: "…"}
            told.append("   " + plain("  ".join(f"{marks[green]} {name}" for name, green in self.checks.items())))
        return told

    def spent(self) -> str:
        """Turns, tokens and money so far."""
        parts = [f"{self.turns} turns"] if self.turns else []
        parts += [f"{self.tokens:,} tokens"] if self.tokens else []
        parts += [f"${self.usd:.2f}"] if self.usd is not None else []
        return " · ".join(parts)


def bar(counts: TaskCounts) -> str:
    """How far a sprint is: a bar and numbers."""
    total = counts.backlog + counts.in_progress + counts.in_review + counts.done + counts.blocked
    if not total:
        return "no tasks"
    done = round(BAR * counts.done / total)
    ready = min(BAR - done, -(-BAR * counts.in_review // total)) if counts.in_review else 0
    rest = BAR - done - ready
    parts = [f"{counts.done}/{total} done"]
    parts += [f"{n} {word}" for n, word in ((counts.in_review, "in review"), (counts.blocked, "blocked")) if n]
    return f"{'█' * done}{'▓' * ready}{'░' * rest} {' · '.join(parts)}"


def _text(told: Any, name: str) -> str:
    value = told.get(name) if isinstance(told, dict) else None
    return value if isinstance(value, str) else ""
