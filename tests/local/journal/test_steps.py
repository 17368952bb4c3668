"""The journal: what is written is on the disk, survives its writer, and belongs to whoever still runs."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from locus.local.journal import Entry, Journal, Report, ReportKind, Step

ENTRY = Entry(
    marker="a",
    workspace_id=UUID(int=1),
    task_id=UUID(int=2),
    key="AUTH-12",
    fence=3,
    root=Path("/home/ada/shop"),
    slot="1",
    branch="locus/sprint-1",
)
REPORT = Report(ReportKind.COMPLETE, b'{"fence":3}')

# Writes an entry in a process of its own, which then dies without a word.
WRITER = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from locus.local.journal import Entry, Journal, Report, ReportKind
journal = Journal(Path(sys.argv[1]))
journal.begin(Entry(marker="a", workspace_id=UUID(int=1), task_id=UUID(int=2), key="AUTH-12", fence=3,
                    root=Path("/home/ada/shop"), slot="1", branch="locus/sprint-1"))
journal.prepared("a", base="b" * 40)
journal.committed("a", base="b" * 40, made="c" * 40, report=Report(ReportKind.COMPLETE, b'{"fence":3}'))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.sqlite3")


def test_what_a_killed_worker_wrote_is_left_behind_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)

    (found,) = Journal(path).left_behind()

    assert replace(found, pid=0, pid_started=0.0) == replace(
        ENTRY, step=Step.COMMITTED, base="b" * 40, made="c" * 40, report=REPORT
    )


def test_the_attempt_of_a_worker_that_runs_is_not_left_behind(journal: Journal) -> None:
    journal.begin(ENTRY)

    assert journal.left_behind() == []


def test_a_process_that_only_has_the_same_number_is_not_the_worker(tmp_path: Path) -> None:
    entry = replace(ENTRY, pid=os.getpid(), pid_started=1.0)

    assert not entry.worker_lives


def test_an_attempt_that_ended_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    journal = Journal(path)

    journal.end("a")

    assert journal.left_behind() == []


def test_nobody_else_may_read_it(journal: Journal, tmp_path: Path) -> None:
    assert (tmp_path / "state" / "journal.sqlite3").stat().st_mode & 0o777 == 0o600


def test_many_workers_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"

    def work(number: int) -> None:
        journal = Journal(path)
        marker = str(uuid4())
        journal.begin(replace(ENTRY, marker=marker, fence=number + 1))
        journal.over(marker, REPORT)
        journal.end(marker)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))

    assert Journal(path).left_behind() == []
