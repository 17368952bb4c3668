"""This machine: the checkout, the project's checks, limits and money."""

import os
from collections.abc import Mapping

from locus.local.evidence.checks import CheckResult
from locus.local.evidence.test_counts import counted
from locus.local.git import glance
from locus.local.process import base_environment
from locus.local.project import Check
from locus.local.settings import TABLE, load
from locus.local.text import duration
from locus.telegram.acts.look import active, some
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.jobs import Job
from locus.telegram.markup import Block, Line, bold, code, plain, tail
from locus.telegram.presses import Run
from locus.wire.agents import AgentLiveness
from locus.wire.reports import Spending

OUTPUT = 3500  # characters of output that one message shows


async def _git(asked: Asked, order: Order) -> None:
    site = await asked.site()
    what = order.word or "status"
    if what != "push":
        shown = await glance.look(site.root, what, os.environ, count=order.number or 10)
        asked.say([Block(tail(shown, most=OUTPUT))] if shown.strip() else "Nothing has changed.")
        return
    branch = await glance.current_branch(site.root, os.environ)
    remote = load(root=site.root).remote
    name = branch.removeprefix("refs/heads/")
    if not asked.confirmed:
        asked.confirm(f"Push {code(name)} of {bold(site.name)} to {code(remote)}?", "Push", order)
        return
    said = await glance.push(site.root, remote, branch, os.environ)
    asked.say([f"✓ {code(name)} is pushed to {code(remote)}.", Block(tail(said, most=OUTPUT))])


async def _dev(asked: Asked, order: Order) -> None:
    site = await asked.site()
    checks = {check.name: check for check in site.configuration().checks}
    if not checks:
        asked.say("This project names no checks in .locus/config.toml.")
        return
    if order.word is None:
        rows = [[asked.button(name, Run(Order(verb="dev", word=name), site.name))] for name in list(checks)[:12]]
        asked.say(f"Which check of {bold(site.name)}?", buttons=rows)
        return
    check = checks.get(order.word)
    if check is None:
        asked.say(f"There is no check {code(order.word)}. It has {', '.join(code(name) for name in checks)}.")
        return
    await _run_check(asked, site.name, check)


async def _run_check(asked: Asked, project: str, check: Check) -> None:
    desk, chat, site = asked.desk, asked.person.chat, await asked.site()
    show_code = "code" in desk.account().switches

    async def finished(job: Job, ok: bool) -> None:
        output = desk.jobs.log(job.id).read_text("utf-8", "replace")
        counts = counted(output, check.tests)
        executed = None if counts is None else counts.executed
        failed = 0 if counts is None else counts.failed
        result = CheckResult(check, 0 if ok else 1, 0, executed, output, "", failed=failed)
        why = job.said or ("stopped" if job.state == "stopped" else result.why if ok else "it failed")
        head = f"{'✓' if result.passed else '✗'} {code(check.name)} {plain(why)} · {duration(job.seconds)}"
        told: list[Line] = [head]
        if not result.passed and show_code:
            told.append(Block(tail(output, most=OUTPUT)))
        elif not result.passed:
            told.append("Its output stays on the machine. At the terminal: locus telegram allow code")
        desk.outbox.show(chat, f"job:{job.id}", told)

    job = await desk.jobs.start(
        # One stream, in the order in which it was written.
        ["/bin/sh", "-c", f"exec 2>&1\n{check.run}"],
        cwd=site.root,
        project=project,
        kind=f"check {check.name}",
        title=f"Check {check.name}",
        person=asked.person.user,
        chat=chat,
        env=base_environment(os.environ),
        limit=check.timeout,
        finished=finished,
        alone=True,
    )
    asked.say(f"◐ {code(check.name)} · job {job.id}", ref=f"job:{job.id}")


async def _limits(asked: Asked, _: Order) -> None:
    site = await asked.site()
    settings = load(root=site.root)
    told: list[Line] = [f"<b>Limits of runs in {plain(site.name)}</b>"]
    for setting in TABLE:
        if setting.project is not None and setting.project.startswith("limits."):
            value = getattr(settings, setting.name)
            told.append(f"{plain(setting.name.replace('_', ' '))}: {plain('none' if value is None else str(value))}")
    agents = await some(site.plane.agents.all(), 50)
    parked = [one for one in agents if one.liveness is AgentLiveness.PARKED]
    for one in parked:
        until = f" until {one.parked_until.astimezone():%H:%M}" if one.parked_until else ""
        told.append(f"◷ {bold(one.name)} waits for a usage limit to end{until}")
    asked.say(told)


async def _budget(asked: Asked, _: Order) -> None:
    plane = await asked.plane()
    sprint = await active(plane)
    figures = await plane.sprints.figures()
    told: list[Line] = [f"<b>Last 24 hours</b> {_spent(figures.last_day)}"]
    if figures.daily_budget_usd_micros is not None:
        told.append(f"of a budget of ${figures.daily_budget_usd_micros / 1e6:.2f} a day")
    if sprint is not None:
        report = await plane.sprints.report(sprint.number)
        told.append(f"<b>Sprint {sprint.number}</b> {_spent(report.spending)}")
        each = report.spending.usd_micros_per_accepted
        if each is not None:
            told.append(f"${each / 1e6:.2f} for each accepted task")
    asked.say(told)


def _spent(spending: Spending) -> str:
    tokens = spending.input_tokens + spending.output_tokens
    parts = [f"{spending.attempts} attempts", f"{tokens:,} tokens", f"${spending.usd_micros / 1e6:.2f}"]
    if spending.unpriced:
        parts.append(f"{spending.unpriced} without a known price")
    return " · ".join(parts)


HANDLERS: Mapping[str, Handler] = {"git": _git, "dev": _dev, "limits": _limits, "budget": _budget}
