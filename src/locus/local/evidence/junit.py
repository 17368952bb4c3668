"""The report of a test runner in JUnit's form, written by the check itself and read with suspicion."""

import os
import stat
from pathlib import Path
from xml.parsers import expat

from locus.local.evidence.test_counts import Counts

LARGEST = 32 << 20  # bytes; what a suite of a hundred thousand tests writes


class Unreadable(Exception):
    """The report counts nothing; the message says why, in a few words."""


def forget(tree: Path, report: str) -> None:
    """Remove a report that is there before the check has run: only a new one is evidence. Raises Unreadable."""
    place = _inside(tree, report)
    if place.is_dir() and not place.is_symlink():
        raise Unreadable(f"{report} is a folder")
    place.unlink(missing_ok=True)


def read(tree: Path, report: str) -> Counts:
    """Count the test cases of a report that the check has just written. Raises Unreadable.

    A case that was skipped was not executed; one with a failure or an error has failed.
    """
    place = _inside(tree, report)
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as e:
        raise Unreadable(f"it wrote no {report}") from e
    except OSError as e:
        raise Unreadable(f"{report} cannot be read") from e
    with os.fdopen(file, "rb") as opened:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{report} is no file")
        if status.st_size > LARGEST:
            raise Unreadable(f"{report} is larger than {LARGEST >> 20} MiB")
        data = opened.read(LARGEST + 1)
    return _count(data, report)


def _inside(tree: Path, report: str) -> Path:
    """The place of the report. An agent may have made a link of the folder it lies in."""
    place = tree / report
    if not place.parent.resolve().is_relative_to(tree.resolve()):
        raise Unreadable(f"{report} leads out of the tree")
    return place


def _count(data: bytes, report: str) -> Counts:
    reading = _Reading()
    parser = expat.ParserCreate()
    # No document type, so no entity that could grow, and nothing that would be fetched from elsewhere.
    parser.StartDoctypeDeclHandler = reading.refuse
    parser.StartElementHandler = reading.begin
    parser.EndElementHandler = reading.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as e:
        raise Unreadable(f"{report} is not XML: {expat.ErrorString(e.code)}") from e
    if not reading.a_report:
        raise Unreadable(f"{report} is no JUnit report")
    return Counts(reading.cases - reading.skipped, reading.failed)


class _Reading:
    """Counts cases as they pass by."""

    def __init__(self) -> None:
        self.cases = self.skipped = self.failed = 0
        self.a_report = False
        self._inside: set[str] | None = None  # what the case that is open has said of itself

    def refuse(self, *_: object) -> None:
        raise Unreadable("it has a document type, which no test report needs")

    def begin(self, name: str, _: dict[str, str]) -> None:
        if name in ("testsuite", "testsuites"):
            self.a_report = True
        elif name == "testcase":
            self._inside = set()
        elif self._inside is not None:
            self._inside.add(name)

    def end(self, name: str) -> None:
        if name != "testcase" or self._inside is None:
            return
        self.cases += 1
        if self._inside & {"failure", "error"}:
            self.failed += 1
        elif "skipped" in self._inside:
            self.skipped += 1
        self._inside = None
