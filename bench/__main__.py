"""`python -m bench [NAME...] [--json] [--write]`: run measurements, print them, keep them in docs/benchmarks.md."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import msgspec

from bench import (
    beside,
    claims,
    first_load,
    index,
    latency,
    machine,
    memory,
    overhead,
    page,
    pages,
    phone,
    pickup,
    recall,
    startup,
    streams,
)
from bench.measure import Measure, number

BENCHES: dict[str, Callable[[], Awaitable[list[Measure]]]] = {
    "startup": startup.measure,
    "claims": claims.measure,
    "latency": latency.measure,
    "overhead": overhead.measure,
    "pickup": pickup.measure,
    "memory": memory.measure,
    "phone": phone.measure,
    "pages": pages.measure,
    "first_load": first_load.measure,
    "streams": streams.measure,
    "beside": beside.measure,
    "index": index.measure,
    "recall": recall.measure,
}


def main() -> int:
    """Run the named measurements, or all. Returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Locus on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; default: all")
    parser.add_argument("--json", action="store_true", help="print one JSON document for each measurement")
    parser.add_argument("--write", action="store_true", help="renew the measured sections of docs/benchmarks.md")
    wanted = parser.parse_args()
    if unknown := [name for name in wanted.names if name not in BENCHES]:
        parser.error(f"there is no measurement {unknown[0]!r}; there are {', '.join(BENCHES)}")
    kept = True
    for name in wanted.names or BENCHES:
        where = machine.look()
        measures = asyncio.run(_measured(name))
        if wanted.json:
            rows = [{**asdict(measure), "holds": measure.holds} for measure in measures]
            print(msgspec.json.encode({"bench": name, "machine": asdict(where), "measures": rows}).decode(), flush=True)
        else:
            print(table(name, measures, where), flush=True)
        if wanted.write:
            page.write(name, measures, where)
        kept = kept and all(measure.holds is not False for measure in measures)
    return 0 if kept else 1


async def _measured(name: str) -> list[Measure]:
    return await BENCHES[name]()


def table(name: str, measures: list[Measure], where: machine.Machine) -> str:
    """The figures for a terminal."""
    lines = [f"{name}: {where}"]
    width = max(len(measure.name) for measure in measures)
    for measure in measures:
        mark = {None: " ", True: "✓", False: "✗"}[measure.holds]
        figure = f"{number(measure.value)} {measure.unit}"
        remarks = "; ".join(part for part in (measure.baseline, measure.note) if part)
        lines.append(f"  {mark} {measure.name:<{width}}  {figure:<14}{measure.target or ''!s:<8}{remarks}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
