"""One shot: a worker is brought to a step, something happens to it, and what came of it is written down."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import asdict, dataclass, field

import pexpect
import psutil
from tests.faults import oracle
from tests.faults.machines import LIMIT, Machine, Worker
from tests.faults.steps import Step, There
from tests.support import person as persons

PAUSE = 0.02  # seconds between two looks
ENDING = 40.0  # seconds that an end may take before it counts as hanging

KILL, TERM, INTERRUPT, TWICE = "kill -9", "SIGTERM", "Ctrl+C", "Ctrl+C twice"
SERVER, DATABASE = "server killed", "PostgreSQL killed"
ANY = Step("random", "whenever", lambda _: lambda _: True)
SIGNALS = (TERM, INTERRUPT, TWICE)
# How a run ends that was asked to. The negative ones are the signal itself, before our handler was there; shells show
# the same code for both.
CLOSED = {
    TERM: (143, -signal.SIGTERM),
    INTERRUPT: (130, -signal.SIGINT),
    TWICE: (130, -signal.SIGINT),
}


@dataclass
class Shot:
    """What came of one. Seconds are real ones; a lease of this world is a thirtieth of a real one."""

    step: str
    fault: str
    reached: bool = True
    code: int | None = None
    ended_after: float | None = None  # seconds from the signal to the exit
    resumed_after: float | None = None  # seconds from the start of the next run until it had settled what was left
    reclaimed_after: float | None = None  # seconds from the kill until the task was nobody's
    survivors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        return asdict(self)


class OnTerminal:
    """A process at a terminal of its own, with what `subprocess.Popen` has of it."""

    def __init__(self, child: pexpect.spawn[str]) -> None:
        self.child = child
        self.pid: int = child.pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and not self.child.isalive():
            self.child.close()
            status, number = self.child.exitstatus, self.child.signalstatus
            self.returncode = status if status is not None else -(number or 0)
        return self.returncode

    def wait(self, timeout: float = LIMIT) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise TimeoutError("it does not end")
            time.sleep(PAUSE)
        return code


def start(machine: Machine, step: Step, *, at_terminal: bool = False) -> Worker:
    """Start a worker that will stop at the step."""
    if not at_terminal:
        return machine.start(*step.arguments, agent=step.agent)
    machine.runs += 1
    out = machine.person.place / f"run-{machine.runs}.jsonl"
    out.touch()
    # Only its words go to a file: the terminal is its own, and Ctrl+C there reaches its whole foreground group.
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f'exec "$@" > {out}', "sh", *persons.command("run", "--yes", "--json", *step.arguments)],
        cwd=str(machine.checkout),
        env=machine.environment(step.agent),  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=LIMIT,
    )
    return Worker(OnTerminal(child), out, time.monotonic())  # type: ignore[arg-type]


class Range:
    """Where shots are fired: one machine, and what the last shot has left to be settled."""

    def __init__(self, machine: Machine, *, seed: int = 0) -> None:
        self.machine = machine
        self.world = machine.world
        self.dice = random.Random(seed)
        self.shots: list[Shot] = []
        self._unsettled: Shot | None = None
        self._held = 0
        self._late = False  # what was held at the last kill is let go only after the next start

    def shoot(self, step: Step, fault: str, *, reclaim: bool = False, late: bool = False) -> Shot:
        """Bring a worker to the step and let the fault happen. `reclaim` waits until the server has the task back;
        `late` lets the children of a killed worker go on only while the next one is at work."""
        shot = Shot(step.name, fault)
        self.shots.append(shot)
        worker = self._bring(step, shot, at_terminal=fault in (INTERRUPT, TWICE))
        if not shot.reached and worker.process.poll() == 0:
            # It went on with work that was pushed before, and had no need of this step. Now there is none left.
            worker = self._bring(step, shot, at_terminal=fault in (INTERRUPT, TWICE))
        try:
            if shot.reached:
                self._happen(worker, shot, reclaim=reclaim, late=late)
            else:
                shot.wrong.append(f"the worker ended with {worker.process.poll()} before it came there")
        finally:
            if fault not in (SERVER, DATABASE):
                worker.kill()
        return shot

    def _bring(self, step: Step, shot: Shot, *, at_terminal: bool) -> Worker:
        """A worker that is at the step, or has ended before it came there."""
        self._provide(step)
        self.machine.trap.disarm()
        self.machine.forget_agents()
        self._held = self.machine.trap.number
        there = step.set(self.machine)
        worker = start(self.machine, step, at_terminal=at_terminal)
        try:
            shot.reached = self._arrives(worker, there)
        except BaseException:
            worker.kill()
            raise
        return worker

    def shoot_at_random(self, seconds: float) -> Shot:
        """Kill a worker at whatever it does after so many seconds: not only where somebody thought of it."""
        self._provide(ANY)
        shot = Shot("random", KILL)
        self.shots.append(shot)
        self.machine.trap.disarm()
        self.machine.forget_agents()
        worker = self.machine.start()
        due = time.monotonic() + seconds
        if self._arrives(worker, lambda _: time.monotonic() >= due) and worker.kill():
            self._unsettled = shot
        else:
            shot.reached = False  # it was done before
        return shot

    def settle(self, limit: float = 2 * LIMIT) -> None:
        """Run workers until there is nothing left to do: no fault any more."""
        self.machine.release()
        self.machine.trap.disarm()
        end = time.monotonic() + limit
        while time.monotonic() < end:
            worker = self.machine.start()
            self._arrives(worker, lambda _: False)
            if set(self.world.statuses().values()) <= {"IN_REVIEW", "DONE", "BLOCKED"}:
                return

    # ---- before

    def _provide(self, step: Step) -> None:
        """One task that can be claimed and is not another's; or none, for a worker that is to be idle."""
        statuses = self.world.statuses()
        open_ = [key for key, status in statuses.items() if status in ("BACKLOG", "IN_PROGRESS")]
        if step.idle and open_:
            self.settle()
        elif not step.idle and sum(statuses[key] == "BACKLOG" for key in open_) == 0:
            self.world.add_task()

    def _arrives(self, worker: Worker, there: There) -> bool:
        """Wait until a worker is where it should be; false when it has ended first. What was left is settled then."""
        end = time.monotonic() + LIMIT
        while True:
            if self._unsettled is not None and worker.said("recovered"):
                self._unsettled.resumed_after = time.monotonic() - worker.began
                self._look_for_survivors(worker)
            if there(worker):
                self._look_for_survivors(worker)
                return True
            if worker.ended:
                self._look_for_survivors(worker)
                return False
            if time.monotonic() > end:
                raise TimeoutError(f"it does not come there: {worker.out.read_text()[-2000:]}")
            time.sleep(PAUSE)

    def _look_for_survivors(self, worker: Worker) -> None:
        """What of the killed worker is alive now that another one has taken over."""
        shot, self._unsettled = self._unsettled, None
        if shot is None:
            return
        if self._late:
            self._late = False
            for number in range(1, self._held + 1):
                (self.machine.trap.place / f"go-{number}").touch()
        shot.survivors = self._left_behind(worker, seconds=3.0)

    def _left_behind(self, worker: Worker | None, *, seconds: float) -> list[str]:
        """Those that are there in every look: what the next worker has just started is seen once, and is not left."""
        end = time.monotonic() + seconds
        left: list[str] | None = None
        while True:
            found = oracle.processes([str(self.machine.person.place)])
            mine = family(worker.pid) if worker is not None and not worker.ended else set()
            strangers = [line for line in found if int(line.split(":")[0]) not in mine]
            left = strangers if left is None else [line for line in left if line in strangers]
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.1)

    # ---- the fault

    def _happen(self, worker: Worker, shot: Shot, *, reclaim: bool, late: bool) -> None:
        match shot.fault:
            case "kill -9":
                worker.kill()
                began = time.monotonic()
                self._lose_requests()
                if self.world.in_sandbox:
                    shot.survivors = self._left_behind(None, seconds=2.0) if shot.step in ("S5", "S6", "S6b") else []
                self._late = late
                if not late:
                    self.machine.release()
                    # What it had begun runs to its end, as a push does; only then is the next worker started.
                    self._left_behind(None, seconds=5.0)
                if reclaim:
                    shot.reclaimed_after = self._reclaimed(began)
                self._unsettled = shot
            case "SIGTERM" | "Ctrl+C" | "Ctrl+C twice":
                self._signalled(worker, shot)
            case "server killed":
                self.world.kill_server()
                self.machine.release()
                self.world.serve()
                self._ends_by_itself(worker, shot)
            case "PostgreSQL killed":
                self.world.kill_database()
                self.machine.release()
                self.world.revive()
                self._ends_by_itself(worker, shot)

    def _signalled(self, worker: Worker, shot: Shot) -> None:
        began = time.monotonic()
        if shot.fault == TERM:
            os.kill(worker.pid, signal.SIGTERM)
        else:
            terminal = worker.process.child  # type: ignore[attr-defined]
            terminal.sendintr()
            if shot.fault == TWICE:
                time.sleep(self.dice.choice((0.005, 0.1, 0.3)))
                terminal.sendintr()
        if shot.fault != TWICE:
            # A slow disk or network comes back; an agent that hangs does not.
            self.machine.trap.release()
            self.machine.proxy.heal()
            if self.machine.forge is not None:
                self.machine.forge.heal()
        try:
            shot.code = worker.process.wait(ENDING)
        except Exception:  # subprocess and OnTerminal each have a word for it
            shot.wrong.append(f"it still runs {ENDING:.0f} s after {shot.fault}")
            worker.kill()
        shot.ended_after = time.monotonic() - began
        self.machine.release()
        shot.survivors = self._left_behind(None, seconds=2.0)
        if shot.code not in CLOSED[shot.fault]:
            shot.wrong.append(f"it ended with {shot.code}")

    def _ends_by_itself(self, worker: Worker, shot: Shot) -> None:
        began = time.monotonic()
        if shot.step == "S0":  # it would wait for ever
            os.kill(worker.pid, signal.SIGTERM)
        shot.code = worker.wait(2 * LIMIT)
        shot.ended_after = time.monotonic() - began
        shot.survivors = self._left_behind(None, seconds=2.0)

    def _lose_requests(self) -> None:
        """What the dead worker had sent is lost on its way; what had arrived has arrived."""
        for proxy in (self.machine.proxy, self.machine.forge):
            if proxy is not None:
                proxy.lose_all()

    def _reclaimed(self, began: float) -> float | None:
        while time.monotonic() - began < LIMIT:
            if "IN_PROGRESS" not in self.world.statuses().values():
                return time.monotonic() - began
            time.sleep(0.05)
        return None


def family(pid: int) -> set[int]:
    """A process and its descendants, by number."""
    try:
        whole = psutil.Process(pid)
        return {pid, *(child.pid for child in whole.children(recursive=True))}
    except psutil.Error:
        return {pid}
