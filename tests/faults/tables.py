"""The tables of docs/reliability.md, written from the results of a long run."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.faults.steps import STEPS
from tests.faults.world import SCALE

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by make faults -->", "<!-- end of faults -->"
TITLES = {
    "lost": "tasks lost",
    "stuck": "leases without an end",
    "twice_on_the_remote": "tasks with two commits on the remote",
    "twice_at_the_server": "tasks completed twice",
    "in_review_without_commit": "tasks in review without their commit on the remote",
    "overlapping": "attempts at one task at the same time",
    "events_with_gaps": "gaps in the event log",
    "stray_branches": "stray branches",
    "second_pull_requests": "second pull requests",
    "survivors": "surviving processes at the end",
    "changed_checkouts": "user's checkouts that differ in a byte",
}

Rows = Sequence[dict[str, Any]]


def write(results: Rows, *, seconds: float, broken: Sequence[str]) -> None:
    """Put the tables between their marks, and keep the raw results beside this file's `docs`."""
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    DOCUMENT.write_text(f"{head}{BEGIN}\n\n{table(results, seconds=seconds, broken=broken)}\n{END}{tail}")
    raw = DOCUMENT.parent / "benchmarks" / "faults.json"
    raw.write_text(json.dumps({"seconds": round(seconds), "worlds": results, "broken": list(broken)}, indent=1) + "\n")


def table(results: Rows, *, seconds: float, broken: Sequence[str]) -> str:
    shots = [shot for result in results for shot in result["shots"]]
    kills = [shot for shot in shots if shot["fault"] == "kill -9" and shot["reached"]]
    reached = [shot for shot in shots if shot["reached"]]
    summed = {
        key: sum(result["counted"][key] for result in results) for key in ("tasks", "in_review", "given_up", "expired")
    }
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, Python {platform.python_version()}: "
        f"{len(results)} worlds, {len(reached)} shots of which {len(kills)} are kills with SIGKILL, "
        f"{summed['tasks']} tasks, in {seconds / 60:.0f} minutes.",
        "",
        "| Judgement of the oracle | Violations | Which |",
        "|---|---|---|",
    ]
    for name, title in TITLES.items():
        found = [
            f"{result['kind']} {result['seed']}: {one}" for result in results for one in result["judgements"][name]
        ]
        lines.append(f"| {title} | **{len(found)}** | {'; '.join(found[:6])} |")
    left = [shot for shot in shots if shot["survivors"]]
    lines.append(f"| shots after which a process was alive too long | **{len(left)}** | {named(left)} |")
    odd = [shot for shot in shots if shot["wrong"]]
    lines.append(f"| shots that did not go as they should | **{len(odd)}** | {named(odd)} |")
    if broken:
        lines.append(f"| worlds that could not be judged | **{len(broken)}** | {'; '.join(broken)} |")
    lines.append(f"| tasks given up as promised, after the leases of three attempts ran out | {summed['given_up']} | |")
    bound = 300 / max(len(kills), 1)
    lines += ["", f"0 in {len(kills)} kills means, with 95 % confidence, less than {bound:.2f} % of kills.", ""]
    lines += [*_times(shots), "", *_by_step(shots)]
    return "\n".join(lines) + "\n"


def named(shots: Rows) -> str:
    said = [f"{shot['fault']} at {shot['step']}: {(shot['wrong'] or shot['survivors'])[0]}" for shot in shots]
    return "; ".join(said[:6]).replace("|", "¦")


def _times(shots: Rows) -> list[str]:
    def row(title: str, values: Iterable[float], target: str) -> str:
        known = sorted(values)
        if not known:
            return f"| {title} | 0 | | | {target} |"
        return f"| {title} | {len(known)} | {median(known):.1f} s | {known[-1]:.1f} s | {target} |"

    def of(key: str, *faults: str) -> list[float]:
        return [shot[key] for shot in shots if shot[key] is not None and (not faults or shot["fault"] in faults)]

    reclaimed = [value * SCALE for value in of("reclaimed_after")]
    return [
        "| Time | Measured | Median | Longest | Target |",
        "|---|---|---|---|---|",
        row(f"a killed worker's task can be claimed again (measured × {SCALE})", reclaimed, "≤ 200 s"),
        row("a run after a kill has settled what was left, from its start", of("resumed_after"), "≤ 5 s"),
        row("SIGTERM to exit", of("ended_after", "SIGTERM"), "≤ 15 s"),
        row("Ctrl+C to exit", of("ended_after", "Ctrl+C"), "≤ 15 s"),
        row("Ctrl+C twice to exit", of("ended_after", "Ctrl+C twice"), "≤ 3 s"),
    ]


def _by_step(shots: Rows) -> list[str]:
    faults = list(dict.fromkeys(shot["fault"] for shot in shots))
    titles = {step.name: step.title for step in STEPS} | {"random": "whenever"}
    lines = [f"| Step | {' | '.join(faults)} |", f"|---|{'---|' * len(faults)}"]
    for name, title in titles.items():
        cells = []
        for fault in faults:
            here = [shot for shot in shots if (shot["step"], shot["fault"]) == (name, fault)]
            good = sum(shot["reached"] and not shot["wrong"] and not shot["survivors"] for shot in here)
            cells.append(f"{good} of {len(here)}" if here else "")
        lines.append(f"| {name} {title} | {' | '.join(cells)} |")
    return lines
