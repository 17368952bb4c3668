"""A run on the terminal: one line a phase, glyphs in front, durations at the right; a moving line on terminals only."""

import time

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from locus.cli.output import hanging
from locus.cli.run import words
from locus.cli.run.asking import answer_line, question_lines
from locus.cli.text import safe
from locus.local.providers.asking import Verdict
from locus.local.providers.base import Ending, Finished, Text as Said, ToolStarted
from locus.local.worker import told
from locus.local.worker.outcome import Completed, Failed, Lost, Released
from locus.wire.work import FailReason

LABEL = 12  # columns of a phase's name
TEXT = 56  # columns of what is said, where there is no terminal whose width decides
LAST_WORDS = 3  # lines of what an agent said before it failed

# The steps on the way to an answer, which --quiet leaves out.
STEPS = (
    *(told.RunStarted, told.Waiting, told.TaskClaimed, told.WentOn, told.Preparing, told.AgentStarted, told.AgentEvent),
    *(told.CheckStarted, told.CheckFinished, told.ChecksRed, told.Committed, told.Pushed),
)


class Now(Struct):
    """The line that moves: what is being done, and since when."""

    label: str
    text: str
    since: float

    def __rich__(self) -> Table:
        glyph = "◐◓◑◒"[int(time.monotonic() * 4) % 4]
        return row(glyph, "blue", self.label, self.text, words.lasted(time.monotonic() - self.since))


class RunView:
    """Draws a run line by line. `verbose` shows everything the agent says, not only what it does.

    `quiet` leaves out the steps: it tells what came of each task and of the run, and what a person must know.
    """

    def __init__(self, console: Console, *, verbose: bool = False, quiet: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._quiet = quiet
        self._live: Live | None = None
        self._now: Now | None = None
        self._since = time.monotonic()
        self._waiting = False

    def __enter__(self) -> "RunView":
        return self

    def __exit__(self, *_: object) -> None:
        self._rest()

    def tell(self, what: told.Told) -> None:
        """Show one thing that the run tells."""
        if self._quiet and isinstance(what, STEPS):
            return
        if not isinstance(what, told.Waiting):
            self._waiting = False
        match what:
            case told.RunStarted():
                self._started(what)
            case told.Recovered():
                self._line("↺", "yellow", "recovered", words.recovered_line(what), wrap=True)
            case told.Waiting(progress=progress):
                if not self._waiting:
                    self._waiting = True
                    self._line("…", "dim", "waiting", words.waiting_line(progress))
                self._moving("waiting", "for the next task")
            case told.Parked(until=until):
                self._line("◷", "yellow", "parked", words.parked_line(what), wrap=True)
                self._moving("parked", f"until {words.clock(until)}. Ctrl+C ends the run at once")
            case told.Resumed(provider=provider):
                self._line("↺", "yellow", "resumed", f"{provider} goes on")
            case told.Switched(before=before, now=now):
                self._line("↺", "yellow", "switched", f"from {before} to {now}: the usage limit is reached")
            case told.WentOn(fence=fence, moved=moved):
                on_top = ", on top of what others pushed since" if moved else ""
                self._line("↺", "yellow", "going on", f"with the work and the session of attempt {fence}{on_top}")
            case told.Slept():
                self._line("☾", "yellow", "asleep", words.slept_line(what), wrap=True)
            case told.ServerSilent():
                self._line("!", "yellow", "server", words.server_line(what), wrap=True)
            case told.ServerBack():
                self._line("✓", "green", "server", "answers again")
            case told.TaskClaimed(key=key, title=title, attempt=attempt, attempt_cap=cap):
                self._rest()
                heading = Table.grid(expand=True)
                heading.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
                heading.add_column(justify="right", no_wrap=True)
                heading.add_row(
                    Text.assemble((key, "bold"), "  ", (safe(title), "bold")),
                    Text(f"attempt {attempt} of {cap}", "dim"),
                )
                self._console.print()
                self._console.print(heading)
            case told.Preparing(command=command):
                self._moving("worktree", command if command else "a clean tree of the branch")
            case told.AgentStarted(round_number=number):
                self._since = time.monotonic()
                self._moving("agent", "reading the output of the checks" if number else "reading the task")
            case told.AgentEvent(event=event):
                self._agent(event)
            case told.Asked(question=question):
                for place, line in enumerate(question_lines(question)):
                    self._line("" if place else "?", "yellow", "" if place else "may it?", line, wrap=True)
            case told.Answered(question=question, answer=answer):
                glyph, style = ("✗", "red") if answer.verdict is Verdict.NO else ("✓", "green")
                self._line(glyph, style, "answer", answer_line(question, answer))
            case told.CheckStarted(check=check):
                self._moving(check.name, check.run)
            case told.CheckFinished(result=result):
                glyph, style = ("✓", "green") if result.passed else ("✗", "red")
                self._line(glyph, style, result.check.name, result.why, result.duration_ms / 1000)
            case told.ChecksRed(names=names, round_number=number, rounds=rounds):
                self._line(
                    "↺", "yellow", "agent", f"{', '.join(names)} red: the agent gets the output ({number} of {rounds})"
                )
            case told.Committed(commit=commit, files=files, lines_added=added, lines_removed=removed):
                self._line("✓", "green", "commit", f"{commit[:7]}  {words.count(files, 'file')}  +{added} −{removed}")
                self._moving("push", "")
            case told.Pushed(branch=branch, rebased=rebased):
                self._line("✓", "green", "push", f"{branch}, seen on the remote{' after a rebase' if rebased else ''}")
            case told.TaskEnded():
                self._ended(what)
            case told.PullRequestReady(url=url, path=path, created=created):
                self._console.print()
                where = f"{url}{'' if created else ' (updated)'}" if url else f"its description is in {path}"
                self._rest()
                # In one piece, however long: it is there to be copied.
                self._console.print(Text.assemble(("  ✓ ", "green"), f"pull request  {safe(where)}"), soft_wrap=True)
            case told.Note(text=text):
                self._line("!", "yellow", "note", text, wrap=True)
            case told.Stopping(signal=signal):
                self._line(
                    "!", "yellow", "stopping", f"{signal}: parking the work and giving the task back. Again: at once."
                )
            case told.RunEnded():
                self._run_ended(what)

    def _started(self, what: told.RunStarted) -> None:
        program = f"{what.provider} {what.provider_version}" if what.provider_version else what.provider
        model = f", {what.model}" if what.model else ""
        self._own(Text.assemble(("Locus run", "bold"), f"  {safe(what.sprint)}"))
        place = "in this checkout" if what.in_place else "in a private worktree"
        at = f"  {what.branch} from {what.base}, {place}, agent {what.agent} ({program}{model})"
        self._own(Text(safe(at), "dim"))
        self._own(Text(f"  {words.WALLS[what.network]}", "yellow" if what.network is None else "dim"))

    def _agent(self, event: object) -> None:
        if isinstance(event, Finished):
            seconds = time.monotonic() - self._since
            if event.ending is Ending.DONE:
                self._line("✓", "green", "agent", words.spent(event), seconds)
                return
            why, *said = [line for line in event.detail.splitlines() if line.strip()] or [""]
            self._line("✗", "red", "agent", why, seconds)
            for one in said[-LAST_WORDS:]:
                self._line("·", "dim", "", one, dim=True, wrap=True)
            return
        line = words.agent_line(event)
        if line is None:
            return
        if self._verbose or not isinstance(event, Said):
            self._line("·", "dim", "", line, dim=True)
        self._moving("agent", line, since=self._since)
        if isinstance(event, ToolStarted):
            return

    def _ended(self, what: told.TaskEnded) -> None:
        match what.outcome:
            case Completed():
                glyph, style = "◉", "magenta"
            case Failed():
                glyph, style = ("!", "yellow") if what.status and what.status.value == "BLOCKED" else ("✗", "red")
            case Released() | Lost():
                glyph, style = "○", "dim"
        status = what.status.value if what.status else "—"
        came = words.outcome_line(what.outcome)
        # Without a heading above it, the line has to say of which task it is.
        self._line(glyph, style, status, f"{what.key}  {came}" if self._quiet else came, what.seconds, wrap=True)
        parked = getattr(what.outcome, "parked", None)
        if parked and isinstance(what.outcome, Failed) and what.outcome.reason is FailReason.POLICY:
            self._line("·", "dim", "", f"it is held for you to look at: locus review-hold {what.key}", dim=True)
        elif parked:
            self._line(
                "·", "dim", "", f"its work is kept: locus parked show {'/'.join(parked.split('/')[-2:])}", dim=True
            )

    def _run_ended(self, what: told.RunEnded) -> None:
        self._rest()
        tally = what.tally
        parts = [f"{words.count(len(tally.completed), 'task')} in review"]
        if held := len(tally.held):
            parts.append(f"{held} {'waits' if held == 1 else 'wait'} for you")
        if failed := len(tally.failed) - held:
            parts.append(f"{failed} failed")
        if tally.released:
            parts.append(f"{len(tally.released)} given back")
        self._console.print()
        why = f" in {words.lasted(what.seconds)}. {safe(what.why)}"
        self._own(Text.assemble((", ".join(parts), "bold"), why))
        if what.progress and (left := words.left_line(what.progress)):
            self._own(Text(f"Left in the sprint: {left}.", "dim"))

    def _own(self, line: Text) -> None:
        """A line that begins at the left, where only lines of ours begin."""
        for piece in hanging(line, self._console):
            self._console.print(piece, soft_wrap=True)

    def _line(
        self,
        glyph: str,
        style: str,
        label: str,
        text: str,
        seconds: float | None = None,
        *,
        dim: bool = False,
        wrap: bool = False,
    ) -> None:
        self._rest()
        label, text = safe(label), safe(text)
        right = "" if seconds is None else words.lasted(seconds)
        if self._console.is_terminal:
            self._console.print(row(glyph, style, label, text, right, dim=dim, wrap=wrap))
        else:  # whoever reads a pipe wants every line whole, and each on one line
            self._console.print(f"  {glyph} {label:<{LABEL}} {text:<{TEXT}}{right:>8}".rstrip(), soft_wrap=True)

    def _moving(self, label: str, text: str, *, since: float | None = None) -> None:
        if not self._console.is_terminal:
            return
        label, text = safe(label), safe(text)
        began = since if since is not None else time.monotonic()
        if self._live is not None and self._now is not None:
            self._now.label, self._now.text, self._now.since = label, text, began
            return
        self._now = Now(label, text, began)
        self._live = Live(self._now, console=self._console, refresh_per_second=8, transient=True)
        self._live.start()

    def _rest(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def row(glyph: str, style: str, label: str, text: str, right: str, *, dim: bool = False, wrap: bool = False) -> Table:
    """One line of a run: glyph, phase, what, how long. What does not fit is cut, unless `wrap` is set."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(width=3, justify="right", no_wrap=True)
    table.add_column(width=LABEL, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=1, no_wrap=not wrap, overflow="fold" if wrap else "ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_row(
        Text(glyph, style), Text(label, "dim" if dim else ""), Text(text, "dim" if dim else ""), Text(right, "dim")
    )
    return table
