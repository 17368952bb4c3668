"""The talk with the agent in one attempt: the task first, then, where checks were red, what they printed."""

import time
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from locus.local.journal.limits import Reached, Scope
from locus.local.permissions.desk import Answer, Question
from locus.local.providers.base import (
    AnswerPart,
    Ask,
    Ending,
    Event,
    Finished,
    Provider,
    SessionStarted,
    Spent,
    Text,
    TextPart,
    Thinking,
    Turn,
    Usage,
)
from locus.local.providers.run import run as run_agent
from locus.local.sandbox import Sandbox
from locus.local.worker import told
from locus.local.worker.attempt import Attempt, Stopped
from locus.local.worker.outcome import REASONS, Ended
from locus.local.worker.records import Remembered
from locus.local.worker.stop import StopReason
from locus.wire.tasks import Phase

SMALLEST_BUDGET = 0.01  # US dollars that an agent can be given


class Session(Struct, frozen=True):
    """A conversation that can go on later, and what it took so far: some providers only count whole ones."""

    id: str
    used: Usage


class Part(Struct, frozen=True):
    """Who talks in an attempt beside its own agent: it looks, answers in a form, and changes nothing."""

    name: str
    provider: Provider
    model: str | None
    sandbox: Sandbox | None
    schema: str


class Conversation:
    """One agent's work on one attempt, in one or several rounds. `session` is the one that would go on.

    With a `part` it is somebody else's, who only looks; `answer` is what was said last.
    """

    def __init__(self, attempt: Attempt, part: Part | None = None) -> None:
        self.session: Session | None = None
        self.answer = ""
        self._attempt = attempt
        self._part = part
        self._round = 0

    async def begin(self, prompt: str) -> None:
        """Have the agent do the task. Raises Ended when it ends in any other way than done, and Stopped."""
        self.session = None
        self._done(await self._run(prompt))

    async def go_on(self, said: str, *, from_scratch: str) -> None:
        """Tell the agent what is still wrong; one that does not remember hears `from_scratch` as well.

        Raises Ended and Stopped.
        """
        if not await self.resume(said):
            await self.begin(f"{from_scratch}\n{said}")

    async def resume(self, said: str) -> bool:
        """Tell the agent something more; False when it does not remember. Raises Ended and Stopped."""
        if self.session is None:
            return False
        finished = await self._run(said)
        if finished.ending is Ending.SESSION_LOST:
            return False
        self._done(finished)
        return True

    def _done(self, finished: Finished) -> None:
        if finished.ending is Ending.BUDGET and (limit := self._attempt.meter.over()) is not None:
            self._stop(limit)  # the agent itself was told of a limit of ours, and has kept it
            raise Stopped
        if finished.ending is not Ending.DONE:
            raise Ended(REASONS[finished.ending], finished.detail, resets_at=finished.resets_at)

    async def _run(self, prompt: str) -> Finished:
        attempt, options, meter = self._attempt, self._attempt.work.options, self._attempt.meter
        part = self._part
        attempt.enter(Phase.AGENT if part is None else Phase.CHECKS)
        if (limit := meter.over()) is not None:
            self._stop(limit)
            raise Stopped
        attempt.records.prompt(self._round, prompt, of=part.name if part else None)
        if part is None:
            attempt.journal.at_agent(attempt.marker, True)
            begun = told.AgentStarted(key=attempt.key, round_number=self._round, prompt_characters=len(prompt))
            attempt.work.tell(begun)
        self._round += 1
        self.answer = ""
        model = options.model if part is None else part.model
        wall, by = meter.begin_round(model, options.wall - attempt.spending.agent_seconds)
        began = time.monotonic()
        finished: Finished | None = None
        events = run_agent(
            attempt.work.provider if part is None else part.provider,
            self._ask(prompt),
            environment=attempt.work.environment,
            silence=options.silence,
            wall=wall,
            stop=attempt.stop.event,
            transcript=attempt.records.line,
            sandbox=attempt.site.sandbox if part is None else part.sandbox,
        )
        async with aclosing(events):
            async for event in events:
                finished = self._hear(event)
        assert finished is not None, "a provider's last event is always Finished"
        attempt.spending.add_agent(finished, time.monotonic() - began)
        if finished.session is not None:
            before = self.session.used if self.session is not None else Usage()
            self.session = Session(finished.session, before + finished.usage)
            if part is None:
                self._remember(self.session)
        elif finished.ending is Ending.SESSION_LOST:
            self.session = None
        if finished.ending is Ending.WALL_LIMIT and by is not None:
            self._stop(by)
        if attempt.stop.asked:
            raise Stopped
        return finished

    def _remember(self, session: Session) -> None:
        """For what is said about the work when it is in a pull request."""
        attempt, used = self._attempt, session.used
        attempt.records.session(
            Remembered(
                provider=attempt.work.provider.NAME,
                session=session.id,
                slot=None if attempt.site.checkout is not None else attempt.site.clone.slot,
                fence=attempt.lease.fence,
                model=attempt.work.options.model,
                sandboxed=attempt.site.sandbox is not None,
                input_tokens=used.input_tokens,
                cached_tokens=used.cached_tokens,
                output_tokens=used.output_tokens,
                usd=used.usd,
            )
        )

    def _ask(self, prompt: str) -> Ask:
        attempt, options = self._attempt, self._attempt.work.options
        left, used = attempt.meter.money_left, self.session.used if self.session is not None else None
        if left is not None:
            # Some count the money of the whole conversation; who counts only this run is held by the meter.
            left = max(left, SMALLEST_BUDGET) + ((used.usd or 0.0) if used is not None else 0.0)
        part = self._part
        asker = attempt.work.asker if part is None else None
        return Ask(
            prompt=prompt,
            cwd=attempt.site.tree,
            run_id=attempt.marker,
            model=options.model if part is None else part.model,
            effort=options.effort if part is None else None,
            read_only=part is not None,
            schema=part.schema if part else None,
            session=self.session.id if self.session is not None else None,
            usage_before=used,
            max_usd=left,
            parts=True,
            descriptors=(attempt.site.clone.lock.fd,),
            asking=asker.asking(attempt.key, self._asked) if asker is not None else None,
        )

    def _asked(self, question: Question, answer: Answer | None) -> None:
        attempt = self._attempt
        if answer is None:
            attempt.work.tell(told.Asked(key=attempt.key, question=question))
        else:
            attempt.work.tell(told.Answered(key=attempt.key, question=question, answer=answer))

    def _hear(self, event: Event) -> Finished | None:
        """Count what an event tells, pass it on, and stop the agent where it has reached a limit."""
        attempt, meter = self._attempt, self._attempt.meter
        match event:
            case TextPart() | AnswerPart() | Thinking():
                return None  # the whole text comes, too
            case SessionStarted(model=model):
                meter.answered_by(model)
            case Turn():
                meter.turn(event)
            case Spent():
                if (limit := meter.spent(event)) is not None:
                    self._stop(limit)
            case Text(text=text):
                self.answer = text
            case Finished():
                event = replace(event, usage=meter.finish_round(event))
                self.answer = event.structured or self.answer
        attempt.work.tell(told.AgentEvent(key=attempt.key, event=event))
        return event if isinstance(event, Finished) else None

    def _stop(self, limit: Reached) -> None:
        reason = StopReason.TASK_LIMIT if limit.scope is Scope.TASK else StopReason.RUN_LIMIT
        self._attempt.stop.ask(reason, f"{limit.sentence} ({limit.name})")
