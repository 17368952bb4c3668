"""The steps of one task, and how a worker is stopped exactly there: by something outside it that it waits for.

A request that the network holds, a git command that does not come back, a hook of the remote, an agent, a check. The
product has no door for this; it waits as it would for a slow disk or a slow server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.machines import Machine, Worker
from tests.support.fault_proxy import Act, Exchange

CLAIM = "POST .*/dispatch/claim"
COMPLETE = "POST .*/lease/complete"
PULLS = "(POST|PATCH) .*/pulls"

There = Callable[[Worker], bool]


@dataclass(frozen=True)
class Step:
    """`set` prepares the machine before a worker starts and returns what says that it has arrived.

    `agent` is where its agent stops. `arguments` are of `locus run`. `needs` is what the world must have: a task that
    can be claimed, none at all, a host of pull requests, no sandbox.
    """

    name: str
    title: str
    set: Callable[[Machine], There]
    agent: str = "none"
    arguments: tuple[str, ...] = ()
    idle: bool = False  # no task to claim
    forge: bool = False
    outside: bool = False  # only without a sandbox, through which its trap cannot be seen


def waiting(machine: Machine) -> There:
    return lambda worker: bool(worker.said("waiting"))


def request(act: Act, pattern: str, *, of_forge: bool = False) -> Callable[[Machine], There]:
    """Stop at a request: HOLD_REQUEST before the far side has it, HOLD_ANSWER after it has done it."""

    def set_(machine: Machine) -> There:
        proxy = machine.forge if of_forge else machine.proxy
        assert proxy is not None
        rule = proxy.rule(act, pattern)
        return lambda _: rule.there.is_set()

    return set_


def trap(point: str, *, after: str | None = None) -> Callable[[Machine], There]:
    """Stop at a child of the worker; `after` is a point that is passed before."""

    def set_(machine: Machine) -> There:
        machine.trap.arm(point, after=after)
        return lambda _: machine.trap.there

    return set_


def when(happens: Callable[[Exchange], bool], point: str) -> Callable[[Machine], There]:
    """Stop at a child of the worker, the next after the server has said something."""

    def set_(machine: Machine) -> There:
        machine.trap.disarm()

        def heard(exchange: Exchange) -> None:
            if happens(exchange):
                machine.proxy.heard = lambda _: None
                machine.trap.arm(point)

        machine.proxy.heard = heard
        before = machine.trap.number
        return lambda _: machine.trap.number > before and machine.trap.there

    return set_


def claimed(exchange: Exchange) -> bool:
    if not exchange.path.endswith("/dispatch/claim") or exchange.status != 200:
        return False
    return json.loads(exchange.answer).get("lease") is not None


def completed(exchange: Exchange) -> bool:
    return exchange.path.endswith("/lease/complete") and exchange.status == 200


def agent(machine: Machine) -> There:
    return lambda _: bool(machine.stopped_agents())


STEPS = (
    Step("S0", "idle, waiting for a task", waiting, arguments=("--watch",), idle=True),
    Step("S1", "claim sent", request(Act.HOLD_REQUEST, CLAIM)),
    Step("S2", "claim committed, answer not read", request(Act.HOLD_ANSWER, CLAIM)),
    Step("S3", "journal written", when(claimed, "ls-remote:before")),
    Step("S4", "tree being made", when(claimed, "read-tree:after")),
    Step("S4b", "set-up runs in the tree", trap("setup"), outside=True),
    Step("S5", "agent started", agent, agent="start"),
    Step("S6", "agent works", agent, agent="half"),
    Step("S6b", "agent about to end", agent, agent="done"),
    Step("S7", "agent has exited", trap("ls-files:before", after="agent"), outside=True),
    Step("S8", "files being added", trap("update-index:before", after="agent"), outside=True),
    Step("S8b", "files added", trap("update-index:after", after="agent"), outside=True),
    Step("S8c", "check runs", trap("checks"), outside=True),
    Step("S9", "before the commit", trap("commit-tree:before", after="checks"), outside=True),
    Step("S9b", "commit made", trap("commit-tree:after", after="checks"), outside=True),
    Step("S10", "push sent, not accepted", trap("pre-receive")),
    Step("S11", "ref accepted, answer not read", trap("post-receive")),
    Step("S11b", "push ended", trap("push:after")),
    Step("S12", "seen on the remote", trap("ls-remote:after", after="post-receive")),
    Step("S13", "pull request sent", request(Act.HOLD_REQUEST, PULLS, of_forge=True), forge=True),
    Step("S14", "pull request there, answer not read", request(Act.HOLD_ANSWER, PULLS, of_forge=True), forge=True),
    Step("S15", "complete sent", request(Act.HOLD_REQUEST, COMPLETE)),
    Step("S16", "complete committed, answer not read", request(Act.HOLD_ANSWER, COMPLETE)),
    Step("S17", "clean-up", when(completed, "read-tree:before"), arguments=("--once",)),
)
BY_NAME = {step.name: step for step in STEPS}
