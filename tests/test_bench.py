"""The benchmarks run, small, and their page is complete. How fast anything is, no test says."""

import asyncio
import io
import os
import re
import sys
import tarfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench import (
    bars,
    beside,
    claims,
    commits,
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
    releases,
    startup,
    streams,
)
from bench.__main__ import BENCHES, table
from bench.ground import Line, Worker
from bench.measure import Measure, at_least, at_most, number, percentile
from tests.support import browser


async def recall_of_one() -> list[Measure]:
    """Recall on one change of this repository's own."""
    tree = Path(bars.__file__).parent
    change = releases.Change("bench", "Python", "1", tree, "Draw bars of figures", frozenset({"bars.py"}))
    return await asyncio.to_thread(recall.told, [change], what="commits", note="")


SMALL: dict[str, Callable[[], Awaitable[list[Measure]]]] = {
    "startup": partial(startup.measure, rounds=2),
    "claims": partial(claims.measure, rounds=1, seconds=1, backlog=20_000, once=300, sizes=(50, 200)),
    "latency": partial(latency.measure, tasks=3, waiting=(1, 2)),
    "overhead": partial(overhead.measure, rounds=1, tasks=1, thinks=0.0),
    "pickup": partial(pickup.measure, tasks=1, runs=1),
    "beside": partial(beside.measure, rounds=1, plans=1),
    "index": partial(index.measure, tree=Path(bars.__file__).parent, rounds=1),
    "recall": recall_of_one,
    "pages": partial(pages.measure, tasks=400, rounds=1),
    "first_load": partial(first_load.measure, cards=20, rounds=1),
    "streams": partial(streams.measure, streams=12, changes=2),
    "phone": partial(phone.measure, asked=2, queued=5, starts=1),
    "memory": partial(memory.measure, tasks=1, talks=10, rounds=8),
}
WHERE = machine.look()


@pytest.mark.parametrize("name", SMALL)
async def test_a_benchmark_runs_and_gives_figures(name: str) -> None:
    if name == "memory" and sys.platform != "linux":
        pytest.skip("peaks of memory are read from /proc")
    if name == "first_load" and browser.program() is None and os.environ.get("LOCUS_REQUIRE_REAL") != "1":
        pytest.skip(browser.MISSING)

    measures = await SMALL[name]()

    assert any(measure.target for measure in measures)
    assert all(measure.value >= 0 for measure in measures)
    assert len({measure.name for measure in measures}) == len(measures)


def test_every_benchmark_is_tried_small() -> None:
    assert set(SMALL) == set(BENCHES)


def test_every_benchmark_has_its_section_on_the_page() -> None:
    begun = re.findall(r"<!-- measured: (\w+) -->", page.PAGE.read_text())
    ended = re.findall(r"<!-- end: (\w+) -->", page.PAGE.read_text())

    assert sorted(begun) == sorted(ended) == sorted(BENCHES)


CHANGELOG = """\
Changes
=======

## 1.2.10 - today

- Not this

v1.2.1 - May 3

* [`1234abcd`](https://example.org/1234abcd) Doors open (#12)

Release 1.2.0 (released Apr 1)
==============================

Older
"""


@pytest.mark.parametrize(
    ("version", "said"), [("1.2.10", "- Not this"), ("1.2.1", "Doors open (#12)"), ("1.2.0", "Older"), ("1.2", "")]
)
def test_what_a_changelog_says_of_a_release_is_found(version: str, said: str) -> None:
    found = releases.section(CHANGELOG, version)

    assert found.endswith(said)
    assert "1234abcd" not in found
    assert "Not this" not in found or version == "1.2.10"


def test_a_section_is_renewed_and_all_else_is_left_alone(tmp_path: Path) -> None:
    other = "Words.\n\n<!-- measured: two -->\n<!-- end: two -->\n"
    before = f"# Mine\n\n<!-- measured: one -->\nold\n<!-- end: one -->\n\n{other}"
    place = tmp_path / "page.md"
    place.write_text(before)
    measures = [Measure("speed", 3.0, "×", at_least(2)), Measure("size", 9.0, "MB", at_most(8), "bare: 1 MB")]

    page.write("one", measures, WHERE, page=place)
    page.write("one", measures, WHERE, page=place)

    text = place.read_text()
    assert "old" not in text
    assert "| speed | 3.00 × | ≥ 2.00 × | kept |  |" in text
    assert "| size | 9.00 MB | ≤ 8.00 MB | **missed** | bare: 1 MB |" in text
    assert text.startswith("# Mine\n\n<!-- measured: one -->\n")
    assert text.endswith(f"<!-- end: one -->\n\n{other}")
    charts = re.findall(r"\]\((\S+\.svg)\)", text)
    assert [ElementTree.parse(tmp_path / chart).getroot().tag for chart in charts] == [
        "{http://www.w3.org/2000/svg}svg"
    ]


def test_a_section_that_the_page_lacks_is_an_error(tmp_path: Path) -> None:
    place = tmp_path / "page.md"
    place.write_text("# Mine\n")

    with pytest.raises(ValueError, match="no section"):
        page.write("one", [Measure("speed", 3.0, "×")], WHERE, page=place)


def test_a_bar_is_as_long_as_its_figure_and_says_it() -> None:
    drawn = bars.svg([bars.Bar("a < b", 1, "1 s"), bars.Bar("c", 2, "2 s")], title="T", line=4, line_label="most")

    root = ElementTree.fromstring(drawn)
    kind = "{http://www.w3.org/2000/svg}"
    widths = [float(each.attrib["width"]) for each in root.iter(f"{kind}rect")]
    assert widths == [bars.BARS / 4, bars.BARS / 2]
    assert [each.text for each in root.iter(f"{kind}text")] == ["a < b", "1 s", "c", "2 s", "most"]


@pytest.mark.parametrize(
    ("measure", "holds"),
    [
        (Measure("a", 2.0, "s", at_most(2)), True),
        (Measure("a", 2.1, "s", at_most(2)), False),
        (Measure("a", 2.0, "s", at_least(2)), True),
        (Measure("a", 1.9, "s", at_least(2)), False),
        (Measure("a", 1.9, "s"), None),
    ],
)
def test_a_target_is_a_bound(measure: Measure, holds: bool | None) -> None:
    assert measure.holds is holds
    assert ("✗" in table("one", [measure], WHERE)) is (holds is False)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.126, "0.13"), (9.994, "9.99"), (12.34, "12.3"), (123.4, "123"), (1234567, "1,234,567")],
)
def test_a_figure_has_the_digits_that_say_something(value: float, text: str) -> None:
    assert number(value) == text


def test_the_steps_of_a_task_are_all_its_time_but_the_agents() -> None:
    spoken = [
        ("WEB-1", "task_ended", "completed", ""),
        ("WEB-2", "task_claimed", "", ""),
        ("WEB-2", "agent_started", "", ""),
        ("WEB-2", "agent_event", "text", "began 3.5 ended 4.5"),
        ("WEB-2", "agent_event", "finished", ""),
        ("WEB-2", "check_started", "", ""),
        ("WEB-2", "check_finished", "", ""),
        ("WEB-2", "committed", "", ""),
        ("WEB-2", "pushed", "", ""),
        ("WEB-2", "task_ended", "completed", ""),
    ]
    lines = [Line(float(at), kind, key, text, inner) for at, (key, kind, inner, text) in enumerate(spoken, 1)]

    steps = overhead.taken(lines)

    assert [one.total for one in steps] == [9.0 - 1.0]
    assert steps[0] == overhead.Steps(
        claim=1, prepare=1, start=0.5, end=0.5, read=1, check=1, commit=1, push=1, report=1
    )


def test_a_task_that_failed_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="WEB-1 ended as failed"):
        overhead.taken([Line(1.0, "task_ended", "WEB-1", "", "failed")])


async def test_a_run_that_has_ended_is_not_waited_for() -> None:
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "", stdout=asyncio.subprocess.PIPE)

    with pytest.raises(RuntimeError, match="ended with 0 before waiting"):
        await Worker(ended).until("waiting")


OURS = """\
Description: Use the system's greeting
Author: Somebody <somebody@example.org>
--- a/shop.py
+++ b/shop.py
@@ -1 +1 @@
-print("hello")
+print("good day")
"""
THEIRS = """\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: Ada <ada@example.org>
Date: Mon, 2 Nov 2026 10:00:00 +0000
Subject: [PATCH 1/2] Greet the whole world
 politely
Origin: upstream, https://example.org/commit/0123456789abcdef

See https://example.org/bug/1 of 0123456.
---
 shop.py | 2 +-
 test.py | 1 +

--- a/shop.py
+++ b/shop.py
@@ -1 +1 @@
-print("good day")
+print("good day, world")
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+pass
"""


def test_a_commit_of_a_source_package_is_what_the_project_changed_and_said(tmp_path: Path) -> None:
    packed(tmp_path / "shop_1.orig.tar.gz", {"shop-1/shop.py": 'print("hello")\n'})
    patches = {"series": "ours.patch\ntheirs.patch -p1\n", "ours.patch": OURS, "theirs.patch": THEIRS}
    packed(tmp_path / "shop_1-1.debian.tar.gz", {f"debian/patches/{name}": text for name, text in patches.items()})
    (tmp_path / "place").mkdir()

    [found] = [
        (one, (one.before / "shop.py").read_text())
        for one in commits.of_package(tmp_path, tmp_path / "place", commits.Project("shop"))
    ]

    assert found[0].changed == {"shop.py"}, "what is new cannot be found before"
    assert found[0].said.split() == ["Greet", "the", "whole", "world", "politely", "See", "of"]
    assert found[1] == 'print("good day")\n', "on top of the patches before it"


def packed(archive: Path, files: dict[str, str]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
