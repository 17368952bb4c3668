"""The long run: hundreds of kills in worlds of several kinds, each judged by the oracle; results as JSON.

A world is a process of its own (`python -m tests.faults world …`), so that some can run beside each other.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.shots import DATABASE, INTERRUPT, KILL, SERVER, SIGNALS, TERM, TWICE, Range
from tests.faults.steps import STEPS, Step
from tests.faults.world import SCALE, world
from tests.support import postgres

AGENT_STEPS = {"S5", "S6", "S6b"}
RECLAIM = {"S2", "S3", "S5", "S6"}  # steps at which the time until a lost task is free again is measured
FAULTS = {KILL: (KILL,), "signals": SIGNALS, "outages": (SERVER, DATABASE)}


@dataclass(frozen=True)
class Kind:
    """One kind of world: what is in it and what happens in it."""

    name: str
    faults: str
    rounds: int = 1
    in_sandbox: bool = False
    forge: bool = False
    reclaim: bool = False
    random: int = 0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kills", KILL, random=3),
        Kind("kills-in-sandbox", KILL, in_sandbox=True, random=2),
        Kind("kills-with-pull-requests", KILL, forge=True),
        Kind("reclaim", KILL, reclaim=True),
        Kind("signals", "signals"),
        Kind("signals-in-sandbox", "signals", in_sandbox=True),
        Kind("outages", "outages"),
    )
}
# How many worlds of each kind make the long run.
LONG = {
    "kills": 16,
    "kills-in-sandbox": 8,
    "kills-with-pull-requests": 4,
    "reclaim": 2,
    "signals": 1,
    "signals-in-sandbox": 1,
    "outages": 1,
}


def steps_of(kind: Kind) -> list[Step]:
    fitting = [step for step in STEPS if not (step.outside and kind.in_sandbox) and (kind.forge or not step.forge)]
    if kind.forge:  # the rest is the same everywhere
        fitting = [step for step in fitting if int(step.name.strip("Sbc")) >= 10]
    if kind.reclaim:
        fitting = [step for step in fitting if step.name in RECLAIM]
    return fitting


def run_world(kind: Kind, seed: int, place: Path) -> dict[str, Any]:
    """Everything that happens in one world, and what the oracle says of it afterwards."""
    dice = random.Random(seed)
    # Where no lease is meant to end, it lasts longer: on a busy machine a worker needs seconds to start.
    scale = SCALE if kind.reclaim else SCALE // 3
    with world(place, in_sandbox=kind.in_sandbox, pull_requests=kind.forge, scale=scale) as made:
        here = Range(made.machines[0], seed=seed)
        plan = [(step, fault) for fault in FAULTS[kind.faults] for step in steps_of(kind)] * kind.rounds
        dice.shuffle(plan)
        for step, fault in plan:
            late = fault == KILL and not kind.reclaim and dice.random() < (0.5 if step.name in AGENT_STEPS else 0.2)
            here.shoot(step, fault, late=late, reclaim=kind.reclaim)
            if kind.reclaim:
                here.settle()
        for _ in range(kind.random):
            here.shoot_at_random(dice.uniform(0.3, 3.0))
        here.settle()
        told = made.oracle()
        return {"kind": kind.name, "seed": seed, "shots": [shot.row() for shot in here.shots], **told}


def main(arguments: Sequence[str]) -> int:
    """`world KIND SEED` runs one and prints its result; `long [PROCESSES [MINUTES]]` runs all and writes the tables."""
    if arguments and arguments[0] == "world":
        with postgres.directory() as base:
            result = run_world(KINDS[arguments[1]], int(arguments[2]), base)
        print(json.dumps(result))
        return 0
    from tests.faults import tables

    processes = int(arguments[1]) if len(arguments) > 1 else 2
    minutes = float(arguments[2]) if len(arguments) > 2 else 240.0
    began = time.monotonic()
    results, broken = together(in_turn(), processes, until=began + 60 * minutes)
    tables.write(results, seconds=time.monotonic() - began, broken=broken)
    wrong = [
        f"{r['kind']} {r['seed']}: {name} {found}" for r in results for name, found in r["judgements"].items() if found
    ]
    print("\n".join([*wrong, *broken]) or "Nothing lost, nothing twice.")
    return 1 if wrong or broken else 0


def in_turn() -> list[tuple[str, int]]:
    """The worlds of the long run, one of each kind first."""
    return [(kind, seed) for seed in range(max(LONG.values())) for kind, number in LONG.items() if seed < number]


def together(wanted: list[tuple[str, int]], processes: int, *, until: float) -> tuple[list[dict[str, Any]], list[str]]:
    """Run worlds beside each other, beginning none after `until`; returns their results and the worlds without one."""
    results: list[dict[str, Any]] = []
    broken: list[str] = []
    running: list[tuple[str, int, subprocess.Popen[str]]] = []
    while wanted or running:
        if time.monotonic() > until:
            wanted = []
        while wanted and len(running) < processes:
            kind, seed = wanted.pop(0)
            command = [sys.executable, "-m", "tests.faults", "world", kind, str(seed)]
            running.append((kind, seed, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
        for entry in list(running):
            kind, seed, process = entry
            try:
                out, _ = process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            running.remove(entry)
            if process.returncode == 0:
                results.append(json.loads(out.splitlines()[-1]))
                bad = {name: found for name, found in results[-1]["judgements"].items() if found}
                print(f"{kind} {seed}: {len(results[-1]['shots'])} shots {bad or ''}", flush=True)
            else:
                broken.append(f"{kind} {seed}: the world itself ended with {process.returncode}")
                print(broken[-1], flush=True)
    return results, broken


__all__ = ["INTERRUPT", "KINDS", "TERM", "TWICE", "main", "run_world", "steps_of"]
