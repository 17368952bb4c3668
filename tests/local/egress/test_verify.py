"""Tampering with the egress log shows, and the line is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.egress.logs import only_file, request, written

from locus.local.egress.lines import hash_of
from locus.local.egress.log import EgressLog
from locus.local.egress.verify import Verdict, verify

LINES = 8
Lines = list[bytes]


def tampered(state: Path, change: Callable[[Lines], Lines]) -> Verdict:
    """What is found in a log of LINES lines after the change."""
    place = written(state, LINES // 2)
    file = only_file(place)
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    return verify(place)


def named(verdict: Verdict) -> set[int]:
    return {finding.line for finding in verdict.broken}


def test_a_log_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    verdict = tampered(tmp_path, lambda lines: lines)

    assert (verdict.broken, verdict.crashes) == ([], [])
    assert (verdict.requests, verdict.lines) == (LINES // 2, LINES)


def test_an_empty_place_is_whole(tmp_path: Path) -> None:
    assert verify(tmp_path / "egress") == Verdict()


def test_every_single_changed_byte_shows(tmp_path: Path) -> None:
    place = written(tmp_path, 2)
    file = only_file(place)
    good = file.read_bytes()
    unnoticed = []
    misnamed = []
    for at in range(len(good)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        found = named(verify(place))
        line = good[:at].count(b"\n") + 1
        if not found:
            unnoticed.append(at)
        elif not found & {line, line + 1}:
            misnamed.append((at, line, found))

    assert unnoticed == []
    assert misnamed == []


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_changed_text_names_its_line_alone(tmp_path: Path, line: int) -> None:
    def change(lines: Lines) -> Lines:
        lines[line - 1] = lines[line - 1].replace(b"Z", b"X", 1)  # of the time
        return lines

    assert named(tampered(tmp_path, change)) == {line}


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_removed_line_is_named(tmp_path: Path, line: int) -> None:
    verdict = tampered(tmp_path, lambda lines: lines[: line - 1] + lines[line:])

    assert named(verdict) == {line}
    assert "gone" in verdict.broken[0].says


@pytest.mark.parametrize("left", range(LINES))
def test_lines_cut_from_the_end_are_named(tmp_path: Path, left: int) -> None:
    verdict = tampered(tmp_path, lambda lines: lines[:left])

    assert named(verdict) == {left + 1}
    assert "gone from the end" in verdict.broken[0].says


@pytest.mark.parametrize("line", range(1, LINES))
def test_two_lines_that_changed_places_are_named(tmp_path: Path, line: int) -> None:
    def swap(lines: Lines) -> Lines:
        lines[line - 1], lines[line] = lines[line], lines[line - 1]
        return lines

    assert named(tampered(tmp_path, swap)) & {line, line + 1}


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_line_that_stands_twice_is_named(tmp_path: Path, line: int) -> None:
    assert line in named(tampered(tmp_path, lambda lines: lines[:line] + lines[line - 1 :]))


def test_a_line_cut_short_is_no_crash_when_it_had_been_counted(tmp_path: Path) -> None:
    verdict = tampered(tmp_path, lambda lines: [*lines[:-1], lines[-1][:-10]])

    assert named(verdict) == {LINES}
    assert verdict.crashes == []


def test_lines_with_hashes_of_their_own_after_the_end_are_no_part_of_it(tmp_path: Path) -> None:
    def forge(lines: Lines) -> Lines:
        for _ in range(2):
            last = lines[-1].rstrip(b"\n")
            said = {**json.loads(last), "n": json.loads(last)["n"] + 1, "prev": hash_of(last)}
            lines.append(json.dumps(said).encode() + b"\n")
        return lines

    assert named(tampered(tmp_path, forge)) == {LINES + 1}


def test_what_was_removed_from_the_end_stays_known_after_more_was_written(tmp_path: Path) -> None:
    tampered(tmp_path, lambda lines: lines[:-3])

    EgressLog(tmp_path).sent(request())

    assert named(verify(tmp_path / "egress")) == {LINES - 2}


def test_a_last_line_that_was_shortened_stays_known_after_more_was_written(tmp_path: Path) -> None:
    tampered(tmp_path, lambda lines: [*lines[:-1], lines[-1].replace(b":200", b":20")])  # of the status

    EgressLog(tmp_path).sent(request())

    assert named(verify(tmp_path / "egress")) == {LINES}


@pytest.mark.parametrize("more", [False, True])
def test_a_head_that_is_gone_is_told(tmp_path: Path, more: bool) -> None:
    place = written(tmp_path, LINES // 2)
    (place / "head").unlink()

    if more:
        EgressLog(tmp_path).sent(request())

    assert "head" in verify(place).broken[0].says


def test_a_month_that_is_gone_is_told(tmp_path: Path) -> None:
    place = written(tmp_path, 2)
    first = only_file(place)
    head = json.loads((place / "head").read_text())
    (place / "head").write_text(json.dumps({**head, "file": "2020-01.jsonl"}))
    first.rename(place / "2020-01.jsonl")
    EgressLog(tmp_path).sent(request())
    assert verify(place).broken == []

    (place / "2020-01.jsonl").unlink()

    assert named(verify(place)) == {1}
