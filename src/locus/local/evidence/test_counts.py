"""How many tests a runner says it executed, and how many failed, read from the end of what it printed.

A check that is green because it ran nothing proves nothing, so a count of zero is red; and a runner that tells of
failures is not made green by a wrapper that ends with 0. A runner we do not know gives None; a project can name its own
pattern.
"""

import re
from collections.abc import Callable

from msgspec import Struct

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Counts(Struct, frozen=True):
    """Tests that were executed, and those of them that failed."""

    executed: int
    failed: int = 0


Counter = Callable[[str], Counts | None]


def counted(output: str, pattern: str | None = None) -> Counts | None:
    """Count executed tests in `output`.

    `pattern` is a regular expression whose first group is a number; all its matches are added up, and no match at all
    is 0. Without one, the known runners are tried, and None means that none of them recognised the output.
    """
    plain = ANSI.sub("", output)
    if pattern is not None:
        return Counts(sum(int(found[1]) for found in re.finditer(pattern, plain, re.MULTILINE) if found[1]))
    for runner in RUNNERS:
        if (count := runner(plain)) is not None:
            return count
    return None


def _pytest(output: str) -> Counts | None:
    # The closing line: "=== 3 failed, 12 passed, 1 skipped in 0.12s ===", or with -q the same without the rules.
    closing = re.findall(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+|no tests ran)\s+in [\d.]+s\b", output, re.MULTILINE)
    if not closing:
        return None
    counts = re.findall(r"(\d+) (passed|failed|xfailed|xpassed|errors?)", closing[-1])
    failed = sum(int(number) for number, what in counts if what == "failed" or what.startswith("error"))
    return Counts(sum(int(number) for number, what in counts if not what.startswith("error")), failed)


def _unittest(output: str) -> Counts | None:
    ran = re.findall(r"^Ran (\d+) tests? in ", output, re.MULTILINE)
    if not ran:
        return None
    # "FAILED (failures=1, errors=2)", "OK (skipped=3)": a skipped test was found and not executed. Only the last line
    # speaks of the whole: a suite about test suites prints more of them.
    closing = re.findall(r"^(?:OK|FAILED)(?: \((.*)\))?$", output, re.MULTILINE)
    told = dict(re.findall(r"(failures|errors|skipped)=(\d+)", closing[-1])) if closing else {}
    failed = int(told.get("failures", 0)) + int(told.get("errors", 0))
    return Counts(max(sum(map(int, ran)) - int(told.get("skipped", 0)), 0), failed)


def _jest(output: str) -> Counts | None:
    summary = re.findall(r"^\s*Tests:?\s{2,}(.*)$", output, re.MULTILINE)
    if not summary:
        return None
    counts = re.findall(r"(\d+) (passed|failed)", summary[-1])
    failed = sum(int(number) for number, what in counts if what == "failed")
    return Counts(sum(int(number) for number, _ in counts), failed)


def _cargo(output: str) -> Counts | None:
    results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed", output, re.MULTILINE)
    if not results:
        return None
    failed = sum(int(number) for _, number in results)
    return Counts(sum(int(number) for number, _ in results) + failed, failed)


def _go(output: str) -> Counts | None:
    if ran := re.findall(r"^\s*--- (PASS|FAIL): ", output, re.MULTILINE):
        return Counts(len(ran), ran.count("FAIL"))
    # Without -v go prints a line a package; only "no test files" everywhere means that nothing ran.
    packages = re.findall(r"^(ok|FAIL|\?)\s+\S+\s+(\[no test files\]|\(cached\)|[\d.]+s)", output, re.MULTILINE)
    if packages and all(what == "[no test files]" for _, what in packages):
        return Counts(0)
    return None


def _node(output: str) -> Counts | None:
    ran = re.findall(r"^(?:#|ℹ) tests (\d+)$", output, re.MULTILINE)
    if not ran:
        return None
    failed = sum(int(number) for number in re.findall(r"^(?:#|ℹ) fail (\d+)$", output, re.MULTILINE))
    # Skipped and to-do tests are counted among "tests" and were not executed.
    idle = sum(int(number) for number in re.findall(r"^(?:#|ℹ) (?:skipped|todo) (\d+)$", output, re.MULTILINE))
    return Counts(max(sum(map(int, ran)) - idle, 0), failed)


RUNNERS: tuple[Counter, ...] = (_pytest, _unittest, _jest, _cargo, _go, _node)
