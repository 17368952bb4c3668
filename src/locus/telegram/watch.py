"""Follows the events of a project and makes news of those that matter to a person."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct, field

from locus.client.errors import NotFound, PlaneError
from locus.local.errors import LocalError
from locus.local.text import WHY
from locus.telegram import views
from locus.telegram.account import Person
from locus.telegram.acts.look import some
from locus.telegram.desk import Desk
from locus.telegram.grammar import Notice, Order
from locus.telegram.markup import Line, bold, code, link, plain
from locus.telegram.news import tell
from locus.telegram.outbox import Rows
from locus.telegram.presses import Approve, Press, Reject, Run
from locus.telegram.projects import Site
from locus.wire.agents import AgentState
from locus.wire.events import ActorKind, Event, EventKind
from locus.wire.tasks import BlockedReason, Status, Task
from locus.wire.work import FailReason

AGAIN = 5.0  # seconds before a stream that ended with an error is opened again
LONGEST_AGAIN = 60.0
WARN = 0.8  # of the day's budget
OVER = frozenset({EventKind.TASK_COMPLETED, EventKind.TASK_FAILED})
GIVEN_UP = frozenset({BlockedReason.ATTEMPTS_EXHAUSTED, BlockedReason.CHECKS_FAILED})


class News(Struct, frozen=True):
    """Something worth telling: its lines, and buttons by their labels."""

    kind: Notice
    lines: list[Line]
    once: str
    presses: list[tuple[str, Press, bool]] = field(default_factory=list)  # label, meaning, only once


def kind_of(event: Event) -> Notice | None:
    """Which news an event is, if any. Pure: what a person did is no news to people."""
    detail = event.detail
    match event.kind:
        case EventKind.TASK_COMPLETED:
            return Notice.REVIEW
        case EventKind.TASK_FAILED | EventKind.TASK_EXPIRED if detail.status is Status.BLOCKED:
            return blocked_kind(detail.blocked_reason)
        case EventKind.TASK_FAILED if detail.fail_reason is FailReason.BUDGET:
            return Notice.BUDGET
        case EventKind.TASK_EXPIRED:
            return Notice.LOST
        case EventKind.TASK_STATUS if detail.status is Status.BLOCKED and event.actor_kind is not ActorKind.PERSON:
            return blocked_kind(detail.blocked_reason)
        case EventKind.PLAN_PROPOSED:
            return Notice.PLAN
        case EventKind.TASK_LINKED if detail.pull_request_url is not None:
            return Notice.FINISHED
        case EventKind.AGENT_STATE if detail.agent_state == AgentState.PARKED:
            return Notice.PARKED
        case _:
            return None


def blocked_kind(reason: BlockedReason | None) -> Notice:
    if reason is BlockedReason.POLICY:
        return Notice.HELD
    return Notice.EXHAUSTED if reason in GIVEN_UP else Notice.BLOCKED


class Watch:
    """One project's events, from where the last bot left off."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self.name = name
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Follow for ever. A control plane that does not answer is asked again."""
        pause = AGAIN
        while True:
            try:
                site = await self._desk.projects.get(self.name)
                async for event in self._events(site):
                    pause = AGAIN
                    await self._one(site, event)
            except (PlaneError, LocalError):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_AGAIN)

    async def _events(self, site: Site) -> AsyncIterator[Event]:
        kept = self._desk.store.get(self._cursor(site))
        if kept is None:
            newest = await some(site.plane.events.newest(), 1)
            kept = str(newest[0].seq if newest else 0)
            self._desk.store.put(self._cursor(site), kept)
        self.opened.set()
        async for event in site.plane.events.stream(after=int(kept)):
            yield event

    def _cursor(self, site: Site) -> str:
        return f"cursor:{self.name}:{site.plane.workspace_id}"

    async def _one(self, site: Site, event: Event) -> None:
        try:
            found = await self._news(site, event)
        except NotFound:
            found = []  # deleted since; nobody can decide about it any more
        # Both or none: what was told is never told again, what was not is told by the next bot.
        with self._desk.store.begin():
            for news in found:
                for person in self._desk.account().people:
                    tell(
                        self._desk,
                        person.chat,
                        news.kind,
                        self._named(news.lines),
                        buttons=self._buttons(person, news),
                        once=f"{self.name}:{news.once}",
                    )
            self._desk.store.put(self._cursor(site), str(event.seq))

    def _named(self, lines: list[Line]) -> list[Line]:
        several = len(self._desk.projects.places) > 1
        return [f"<i>{plain(self.name)}</i>", *lines] if several else lines

    def _buttons(self, person: Person, news: News) -> Rows:
        made = [self._desk.buttons.make(label, person.user, press, once=once) for label, press, once in news.presses]
        return [made] if made else ()

    # ---- what each event says

    async def _news(self, site: Site, event: Event) -> list[News]:
        found: list[News] = []
        kind = kind_of(event)
        if kind is Notice.PARKED:
            found = await self._parked(site, event)
        elif kind is Notice.FINISHED:
            found = self._linked(event)
        elif kind is Notice.PLAN:
            found = self._plan(event)
        elif kind is not None and event.task_id is not None:
            task = await site.plane.tasks.get(event.task_id)
            found = [await self._review(site, event, task) if kind is Notice.REVIEW else self._stuck(kind, event, task)]
        if event.kind in OVER:
            found += await self._budget(site)
        return found

    async def _review(self, site: Site, event: Event, task: Task) -> News:
        lines: list[Line] = [f"◉ {code(task.key)} {bold(task.title, most=200)} can be reviewed"]
        lines += [views.attempt(one) for one in await some(site.plane.tasks.attempts(task.id), 1)]
        ticked = sum(item.done for item in task.checklist)
        if task.checklist:
            lines.append(f"☑ {ticked} of {len(task.checklist)} on the checklist")
        fence = event.detail.fence or task.fence
        return News(
            Notice.REVIEW,
            lines,
            f"event:{event.seq}",
            [
                ("✓ Approve", Approve(self.name, task.key, fence), True),
                ("✗ Reject", Reject(self.name, task.key, fence), False),
                ("Open", self._open(task), False),
            ],
        )

    def _stuck(self, kind: Notice, event: Event, task: Task) -> News:
        why = event.detail.blocked_reason
        heads = {
            Notice.HELD: "is held for a person to look at",
            Notice.EXHAUSTED: f"is given up: {WHY[why] if why else 'every attempt failed'}",
            Notice.BLOCKED: f"is blocked: {WHY[why] if why else 'it waits for you'}",
            Notice.LOST: "was given back: its agent has not been heard of",
            Notice.BUDGET: "ended at a limit of turns or money",
        }
        lines: list[Line] = [f"! {code(task.key)} {bold(task.title, most=200)} {plain(heads[kind])}"]
        if event.detail.attempts:
            lines.append(f"after {event.detail.attempts} of {task.attempt_cap} attempts")
        presses: list[tuple[str, Press, bool]] = [("Open", self._open(task), False)]
        if kind in (Notice.EXHAUSTED, Notice.BLOCKED):
            presses.insert(0, ("↺ Retry", Run(Order(verb="retry", key=task.key), self.name), True))
        return News(kind, lines, f"event:{event.seq}", presses)

    def _open(self, task: Task) -> Run:
        return Run(Order(verb="task", key=task.key), self.name)

    async def _parked(self, site: Site, event: Event) -> list[News]:
        if event.detail.agent_id is None:
            return []
        agent = await site.plane.agents.get(event.detail.agent_id)
        until = f"parked until {agent.parked_until.astimezone():%H:%M}" if agent.parked_until else "parked"
        return [News(Notice.PARKED, [f"◷ {bold(agent.name)} is {until}: a usage limit"], f"event:{event.seq}")]

    def _plan(self, event: Event) -> list[News]:
        count = event.detail.number
        tasks = f": {count} task{'s' * (count != 1)}" if count else ""
        lines: list[Line] = [f"▤ The plan {bold(event.detail.title or '', most=200)} waits for a decision{tasks}"]
        press = Run(Order(verb="plans"), self.name)
        return [News(Notice.PLAN, lines, f"event:{event.seq}", [("Show the plans", press, False)])]

    def _linked(self, event: Event) -> list[News]:
        # A run of ours says so itself when it ends.
        if self._desk.jobs.running(project=self.name, kind="run"):
            return []
        url = event.detail.pull_request_url or ""
        number = f" {event.detail.number}" if event.detail.number else ""
        return [News(Notice.FINISHED, [link(f"Pull request{number}", url)], f"pull-request:{url}")]

    async def _budget(self, site: Site) -> list[News]:
        figures = await site.plane.sprints.figures()
        budget = figures.daily_budget_usd_micros
        if not budget or figures.last_day.usd_micros < WARN * budget:
            return []
        share = 100 * figures.last_day.usd_micros // budget
        spent, most = figures.last_day.usd_micros / 1e6, budget / 1e6
        level = "over" if share >= 100 else "near"
        once = f"warned:{self.name}:{level}:{datetime.fromtimestamp(time.time()).astimezone():%Y-%m-%d}"
        if self._desk.store.get(once) is not None:
            return []
        self._desk.store.put(once, "")
        return [News(Notice.BUDGET, [f"$ {share} % of the day's budget is spent: ${spent:.2f} of ${most:.2f}"], once)]
