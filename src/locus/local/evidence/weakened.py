"""Tests that a change has weakened: removed, switched off, or made to assert less. Pure.

Told from the lines of the difference alone, so it knows some shapes of a dozen runners and not what a test means. A
changed expectation stays one: that `== 3` has become `== 4` is for the person who reviews the work.
"""

import re
from collections.abc import Iterable

from locus.local.git.lines import FileLines

# The beginning of a test: Python, JavaScript and its kin, Go, Rust, Java and its kin, Ruby.
TEST = re.compile(
    r"^\s*(?:(?:async\s+)?def\s+test\w*\s*\(|(?:it|test|specify|scenario)(?:\.each\b.*)?\s*[(\s]\s*['\"`]"
    r"|func\s+(?:Test|Fuzz|Benchmark)\w*\s*\(|#\[(?:\w+::)?test\]|@(?:Parameterized)?Test\b)"
)
OFF = re.compile(
    r"@(?:unittest\.)?skip(?:If|Unless)?\b|@?pytest\.(?:mark\.)?(?:skip(?:if)?|xfail)\b|\bself\.skipTest\("
    r"|\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*\(|\b(?:it|test|describe|suite|context)\.(?:skip|only|todo|fixme)\b"
    r"|\bt\.Skip(?:f|Now)?\(|#\[ignore|@(?:Disabled|Ignore)\b|\b__test__\s*=\s*False|\bcollect_ignore"
    r"|raise\s+(?:unittest\.)?SkipTest\b|^\s*pending\b"
    # A test that ends before it asserts, or that swallows what its assertions raise.
    r"|^(?: {4}| {8}|\t{1,2})return\s*;?\s*$|\bexcept\s*(?:\(?\s*(?:AssertionError|Exception|BaseException)\b|:)"
    r"|\bsuppress\(\s*(?:AssertionError|Exception|BaseException)\b"
)
ASSERTION = re.compile(
    r"^\s*assert\b|\bself\.assert\w+\(|\bassert\w*!?\s*[.(]|\bexpect\s*\(|\bpytest\.raises\b|\brequire\.\w+\("
    r"|\bt\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\.should\b"
)
# One that only equality, an error of a kind or the like can satisfy.
EXACT = re.compile(
    r"==|\bassert(?:_)?(?:Equals?|_eq|CountEqual|DictEqual|ListEqual|Is|Raises\w*|Throws\w*)\b|\bassert_eq!|\.Equal\("
    r"|\bto(?:Strict)?(?:Be|Equal)\(|\btoThrow|\bpytest\.raises\b|!=|\bstrictEqual\(|\bdeepEqual\("
)
EMPTY = re.compile(
    r"^\s*assert\s+(?:True|1|not\s+False|\(?\s*1\s*==\s*1\s*\)?)\s*(?:,.*)?(?:#.*)?$|\bassertTrue\(\s*True\s*[,)]"
    r"|\bassertEqual\(\s*(\w+)\s*,\s*\1\s*\)|\bexpect\(\s*(?:true|1)\s*\)|\bassert!\(\s*true\s*\)"
    r"|^\s*assert\s+(\w+)\s*==\s*\2\s*$|\bor\s+True\b|\|\|\s*true\b"
)


def weakened(files: Iterable[FileLines]) -> list[str]:
    """What a change of these test files weakens, a sentence each; none when it weakens nothing."""
    changed = list(files)
    found: list[str] = []
    # A test that moves to another file is in both; only what is gone from all of them is gone.
    gone = sum(_lines(TEST, file.removed) - _lines(TEST, _added(file)) for file in changed)
    if gone > 0:
        found.append("one test fewer than before" if gone == 1 else f"{gone} tests fewer than before")
    moved = any(not file.exists for file in changed)
    for file in changed:
        if not file.exists or not (file.existed or moved):
            continue
        added = _added(file)
        if _lines(OFF, added) > _lines(OFF, file.removed):
            found.append(f"{file.path} switches tests off")
        if _lines(EMPTY, added) > _lines(EMPTY, file.removed):
            found.append(f"{file.path} has an assertion that nothing can break")
        if gone > 0 or not file.existed:
            continue  # fewer tests assert less, which has been said
        if _lines(ASSERTION, file.removed) > _lines(ASSERTION, added):
            found.append(f"{file.path} asserts less than before")
        elif _exact(file.removed) > _exact(added):
            found.append(f"{file.path} asserts less exactly than before")
    return found


def _added(file: FileLines) -> list[str]:
    return [line for _, line in file.added]


def _lines(pattern: re.Pattern[str], lines: Iterable[str]) -> int:
    return sum(1 for line in lines if pattern.search(line))


def _exact(lines: Iterable[str]) -> int:
    return sum(1 for line in lines if ASSERTION.search(line) and EXACT.search(line))
