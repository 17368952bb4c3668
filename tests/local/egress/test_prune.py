"""Old months of the log go, and what is left is proved whole; whatever else is missing still shows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.local.egress.logs import request

from locus.local.egress.lines import Pruned, Sent, decode, folder, hash_of, months
from locus.local.egress.log import EgressLog, locked
from locus.local.egress.prune import prune
from locus.local.egress.read import requests
from locus.local.egress.verify import verify
from locus.local.errors import LocalError

MONTHS = ("2025-11", "2025-12", "2026-01", "2026-02")
PER_MONTH = 3
END_OF_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of four months."""
    place = folder(tmp_path)
    with locked(place) as end:
        for month in MONTHS:
            for day in range(1, PER_MONTH + 1):
                at = f"{month}-{day:02}T12:00:00.000000Z"
                end.append(Sent(n=end.next, prev=end.hash, at=at, method="GET", server="s", path=f"/{month}/{day}"))
    return place


def names(log: Path) -> list[str]:
    return [path.stem for path in months(log)]


def test_months_that_had_ended_go_and_the_rest_is_whole(log: Path) -> None:
    gone = prune(log, before=END_OF_YEAR)

    assert gone.files == ("2025-11.jsonl", "2025-12.jsonl")
    assert gone.through == 2 * PER_MONTH
    assert [name for name in names(log) if name in MONTHS] == ["2026-01", "2026-02"]
    verdict = verify(log)
    assert (verdict.broken, verdict.crashes) == ([], [])
    assert (verdict.pruned, verdict.requests) == (2 * PER_MONTH, 2 * PER_MONTH)
    assert next(one.path for one in requests(log)) == "/2026-01/1"


def test_the_log_goes_on_after_it_and_can_be_pruned_again(log: Path, tmp_path: Path) -> None:
    prune(log, before=END_OF_YEAR)
    EgressLog(tmp_path).sent(request())

    prune(log, before=datetime(2026, 2, 1, tzinfo=UTC))

    assert "2026-01" not in names(log)
    verdict = verify(log)
    assert (verdict.broken, verdict.pruned) == ([], 3 * PER_MONTH)


def test_a_month_that_has_not_ended_and_the_one_that_is_written_stay(log: Path) -> None:
    assert prune(log, before=datetime(2025, 11, 30, tzinfo=UTC)).files == ()
    assert names(log) == list(MONTHS)

    prune(log, before=datetime(2100, 1, 1, tzinfo=UTC))
    assert names(log), "the log says at least what was removed"
    assert verify(log).broken == []


def test_a_dry_run_removes_nothing_and_writes_nothing(log: Path) -> None:
    before = {path.name: path.read_bytes() for path in log.iterdir()}

    assert prune(log, before=END_OF_YEAR, dry_run=True).files == ("2025-11.jsonl", "2025-12.jsonl")
    assert {path.name: path.read_bytes() for path in log.iterdir()} == before


def test_a_month_that_somebody_else_removed_still_shows(log: Path) -> None:
    prune(log, before=datetime(2025, 12, 1, tzinfo=UTC))
    (log / "2025-12.jsonl").unlink()

    assert any("gone" in finding.says for finding in verify(log).broken)


def test_a_file_of_the_beginning_removed_without_a_word_still_shows(log: Path) -> None:
    (log / "2025-11.jsonl").unlink()

    assert any("gone" in finding.says for finding in verify(log).broken)


def test_a_line_that_says_another_hash_of_what_was_removed_does_not_fit(log: Path) -> None:
    last = (log / "2025-11.jsonl").read_bytes().splitlines()[-1]
    with locked(log) as end:
        end.append(
            Pruned(n=end.next, prev=end.hash, at="2026-02-09T00:00:00.000000Z", through=PER_MONTH, hash="f" * 64)
        )
    (log / "2025-11.jsonl").unlink()

    assert decode(last) is not None
    assert hash_of(last) != "f" * 64
    assert verify(log).broken != []


def test_a_crash_between_the_line_and_the_file_leaves_a_whole_log(log: Path) -> None:
    kept = (log / "2025-11.jsonl").read_bytes()
    prune(log, before=datetime(2025, 12, 1, tzinfo=UTC))
    (log / "2025-11.jsonl").write_bytes(kept)

    assert verify(log).broken == []
    prune(log, before=datetime(2025, 12, 1, tzinfo=UTC))
    assert verify(log).broken == []
    assert "2025-11" not in names(log)


def test_a_log_that_is_not_whole_is_left_alone(log: Path) -> None:
    file = log / "2025-12.jsonl"
    file.write_bytes(file.read_bytes().replace(b"/2025-12/2", b"/2025-12/9"))

    with pytest.raises(LocalError, match="not whole"):
        prune(log, before=END_OF_YEAR)
    assert names(log) == list(MONTHS)
