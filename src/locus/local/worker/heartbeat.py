"""The heartbeat: a thread with its own connection, so that neither git nor an agent nor a busy loop can delay it.

It keeps the lease, brings cancellation, and fences the worker off when nobody has acknowledged it for too long. When
the machine has slept, the first thing it does is a beat.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from locus.client.errors import LeaseLost, NotFound, PlaneError
from locus.client.plane import ControlPlane
from locus.local.worker import told
from locus.local.worker.clock import Moment
from locus.local.worker.stop import Stop, StopReason
from locus.wire.agents import AgentState, Heartbeat as Beat, LeaseBeat
from locus.wire.tasks import Phase
from locus.wire.work import Lease

FENCE = 2 / 3  # of the lease: with 180 s, a worker stops itself after 120 s without an acknowledged heartbeat
JITTER = 0.2
LOOK = 1.0  # seconds between two looks at the clocks: so late a sleep is noticed
SLEPT = 5.0  # seconds; less is a machine that was busy, not one that slept


class Held(Struct):
    """The lease that is kept alive, and whom to tell when it is not."""

    lease: Lease
    stop: Stop
    phase: Phase
    acknowledged: Moment

    @property
    def fence_after(self) -> float:
        """Seconds without an acknowledgement after which the work must stop."""
        return self.lease.expires_in_ms / 1000 * FENCE


class Heartbeat:
    """Beats for one agent from `start` to `end`; between `hold` and `let_go` it keeps a lease alive.

    `connect` opens a connection of the heartbeat's own. `interval` is in seconds; a lease brings its own. `tell` hears,
    in the thread of the loop, of sleeps and of a server that does not answer.
    """

    def __init__(
        self,
        connect: Callable[[], ControlPlane],
        agent_id: UUID,
        *,
        interval: float = 20.0,
        tell: Callable[[told.Told], None] = lambda _: None,
        clock: Callable[[], Moment] = Moment.now,
    ) -> None:
        self._connect = connect
        self._agent_id = agent_id
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._over = False
        self._held: Held | None = None
        self._parked_until: datetime | None = None
        self._report = tell
        self._clock = clock
        self._looked = clock()
        self._woke = False
        self._answered = True
        self._thread = threading.Thread(target=self._main, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hold(self, lease: Lease, stop: Stop) -> None:
        """Keep this lease alive from now on; `stop` is asked when that is no longer possible."""
        with self._lock:
            self._held = Held(lease, stop, Phase.CLAIMED, self._clock())
            self._interval = lease.heartbeat_ms / 1000
        self._wake.set()

    def phase(self, phase: Phase) -> None:
        """Tell with the next beat, which is now, what the worker is doing."""
        with self._lock:
            if self._held is None or self._held.phase is phase:
                return
            self._held.phase = phase
        self._wake.set()

    def park(self, until: datetime | None) -> None:
        """Tell with the next beat, which is now, that the worker waits until then; None is that it waits no more."""
        with self._lock:
            self._parked_until = until
        self._wake.set()

    def let_go(self) -> None:
        """The lease has ended with an outcome: stop keeping it."""
        with self._lock:
            self._held = None

    def confirmed(self) -> bool:
        """Whether the lease is certainly still ours: asked before each step that the outside can see."""
        with self._lock:
            held = self._held
        if held is None or held.stop.asked:
            return False
        return self._clock().seconds_since(held.acknowledged) < held.fence_after

    def end(self, *, timeout: float = 2.0) -> None:
        """Stop beating. Waits at most `timeout` seconds for a beat that is under way."""
        self._over = True
        self._wake.set()
        self._thread.join(timeout)

    def _main(self) -> None:
        asyncio.run(self._beat_on())

    async def _beat_on(self) -> None:
        async with self._connect() as plane:
            while not self._over:
                await self._beat(plane)
                pause = self._interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads load, no secret
                await asyncio.to_thread(self._rest, pause)
                self._wake.clear()

    def _rest(self, pause: float) -> None:
        """Wait for the next beat, but no longer than until the machine has woken up."""
        until = time.monotonic() + pause
        while not self._has_slept() and (left := until - time.monotonic()) > 0:
            if self._wake.wait(min(left, LOOK)):
                return

    def _has_slept(self) -> bool:
        now = self._clock()
        slept, self._looked = now.asleep_since(self._looked), now
        if slept < SLEPT:
            return False
        self._woke = True
        self._say(told.Slept(seconds=slept))
        return True

    def _say(self, what: told.Told) -> None:
        self._loop.call_soon_threadsafe(self._report, what)

    async def _beat(self, plane: ControlPlane) -> None:
        with self._lock:
            held, parked_until = self._held, self._parked_until
            woke, self._woke = self._woke, False
        lease = LeaseBeat(task_id=held.lease.task_id, fence=held.lease.fence, phase=held.phase) if held else None
        sent = self._clock()
        try:
            answer = await plane.agents.heartbeat(
                self._agent_id,
                Beat(state=_state(held, parked_until, woke=woke), lease=lease, parked_until=parked_until),
                deadline=min(self._interval, 10.0),
            )
        except (LeaseLost, NotFound):
            self._tell(held, StopReason.LEASE_LOST)
            return
        except PlaneError:
            self._woke = woke or self._woke  # nobody has heard it yet
            self._no_answer(held)
            return
        if not self._answered:
            self._answered = True
            self._say(told.ServerBack())
        if held is None:
            return
        if answer.lease_held is False:
            self._tell(held, StopReason.LEASE_LOST)
            return
        held.acknowledged = sent  # when it was sent: the lease was extended some time after that, never before
        if answer.cancel_requested:
            self._tell(held, StopReason.CANCELLED)

    def _no_answer(self, held: Held | None) -> None:
        passed = self._clock().seconds_since(held.acknowledged) if held else 0.0
        if held and passed >= held.fence_after:
            self._tell(held, StopReason.SELF_FENCED)
        elif self._answered:
            self._answered = False
            self._say(told.ServerSilent(seconds=held.fence_after - passed if held else None))

    def _tell(self, held: Held | None, reason: StopReason) -> None:
        with self._lock:
            current = self._held
        # A beat may cross the end of its task: what it found out about an earlier lease is nobody's business now.
        if held is not None and held is current:
            self._loop.call_soon_threadsafe(held.stop.ask, reason)


def _state(held: Held | None, parked_until: datetime | None, *, woke: bool) -> AgentState:
    if woke:
        return AgentState.ASLEEP
    if held is not None:
        return AgentState.WORKING
    return AgentState.IDLE if parked_until is None else AgentState.PARKED
