"""A provider whose allowance is used up: the run waits for it, or another provider goes on."""

from msgspec.structs import replace

from locus.local.providers.table import PROVIDERS, deputies
from locus.local.worker import parking, told
from locus.local.worker.ending import Ending
from locus.local.worker.heartbeat import Heartbeat
from locus.local.worker.outcome import UNUSABLE, Completed, Failed, Outcome
from locus.local.worker.parking import OnLimit, Rota
from locus.local.worker.why import Why
from locus.local.worker.workplace import Workplace
from locus.wire.work import FailReason


class Allowance:
    """Who works in a run, and when. `work` is the workplace of who was chosen for it."""

    def __init__(self, work: Workplace, ending: Ending) -> None:
        self._first = work
        self._ending = ending
        self._switched = False
        switches = work.options.on_limit is OnLimit.SWITCH
        others = deputies(work.provider.NAME, work.environment) if switches else []
        self._rota = Rota(work.provider.NAME, others, work.options.patience)

    async def after(self, outcome: Outcome, heartbeat: Heartbeat) -> Why | None:
        """Wait, if this outcome asks for it. Returns why the current provider does not go on; None when it does."""
        match outcome:
            case Completed():
                self._rota.worked()
            case Failed(reason=FailReason.USAGE_LIMIT, resets_at=resets_at):
                self._rota.limited(resets_at)
                return await self._next(heartbeat, known=resets_at is not None)
            case Failed(reason=reason) if self._switched and reason in UNUSABLE and self._rota.unusable():
                return await self._next(heartbeat, known=True)
        return None

    def waited_for(self, outcome: Outcome) -> bool:
        """Whether this outcome ends no run, because it is waited out or somebody else goes on."""
        limited = isinstance(outcome, Failed) and outcome.reason is FailReason.USAGE_LIMIT
        return limited and self._first.options.on_limit is not OnLimit.STOP

    def hand_over(self, name: str) -> Workplace:
        """The workplace of another provider; what was chosen for the first one says nothing to it."""
        self._first.tell(told.Switched(before=self._rota.current, now=name))
        self._rota.current, self._switched = name, True
        if name == self._first.provider.NAME:
            return self._first
        options = replace(self._first.options, model=None, effort=None)
        return replace(self._first, provider=PROVIDERS[name], provider_version=None, options=options)

    async def _next(self, heartbeat: Heartbeat, *, known: bool) -> Why | None:
        name, until = self._rota.next()
        if until is not None:
            self._first.tell(told.Parked(provider=name, until=until, known=known))
            heartbeat.park(until)
            await self._ending.unless(parking.wait(until))
            heartbeat.park(None)
            if self._ending.is_set:
                return self._ending.why
            self._first.tell(told.Resumed(provider=name))
        return None if name == self._rota.current else Why(f"{name} goes on.", hand_over=name)
