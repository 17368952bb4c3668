"""Tests that a change weakens, and changes of tests that weaken nothing."""

import pytest

from locus.local.evidence.weakened import weakened
from locus.local.git.lines import FileLines


def file(
    removed: str, added: str, *, path: str = "tests/test_a.py", existed: bool = True, exists: bool = True
) -> FileLines:
    return FileLines(path, existed, exists, list(enumerate(added.splitlines(), start=1)), removed.splitlines())


@pytest.mark.parametrize(
    ("removed", "added", "said"),
    [
        ("def test_a():\n    assert f() == 1", "", "one test fewer"),
        ("", "@pytest.mark.skip", "switches tests off"),
        ("", "@pytest.mark.xfail(reason='later')", "switches tests off"),
        ("", '@unittest.skip("later")', "switches tests off"),
        ("", "        self.skipTest('later')", "switches tests off"),
        ("  it('adds', () => {", "  it.skip('adds', () => {", "switches tests off"),
        ("  it('adds', () => {", "  it.only('adds', () => {", "switches tests off"),
        ("  it('adds', () => {", "  xit('adds', () => {", "one test fewer"),
        ("", "\tt.Skip()", "switches tests off"),
        ("", "#[ignore]", "switches tests off"),
        ("", "    return", "switches tests off"),
        ("", "    except AssertionError:", "switches tests off"),
        ("    assert f() == 1", "    assert True", "nothing can break"),
        ("    self.assertEqual(f(), 1)", "    self.assertTrue(True)", "nothing can break"),
        ("    expect(f()).toBe(1)", "    expect(true).toBe(true)", "nothing can break"),
        ("    assert f() == 1", "    assert f()", "less exactly"),
        ("    self.assertEqual(f(), 1)", "    self.assertIsNotNone(f())", "less exactly"),
        ("    expect(f()).toBe(1)", "    expect(f()).toBeDefined()", "less exactly"),
        ("    assert f() == 1\n    assert g() == 2", "    assert f() == 1", "asserts less than before"),
    ],
)
def test_what_a_test_loses_is_told(removed: str, added: str, said: str) -> None:
    assert said in " ".join(weakened([file(removed, added)]))


@pytest.mark.parametrize(
    ("removed", "added"),
    [
        ("    assert f() == 1", "    assert f() == 2"),
        ("", "def test_b():\n    assert g() == 2"),
        ("def test_a():", "async def test_a():"),
        ("    assert f() == 1", "    assert f() == 1\n    assert g() == 2"),
        ("    # an old remark", "    # a new one"),
        ("    self.assertEqual(f(), 1)", "    assert f() == 1"),
    ],
)
def test_an_ordinary_change_of_a_test_weakens_nothing(removed: str, added: str) -> None:
    assert weakened([file(removed, added)]) == []


def test_a_test_that_moves_to_another_file_is_not_lost() -> None:
    text = "def test_a():\n    assert f() == 1"
    gone = file(text, "", exists=False)
    come = file("", text, path="tests/test_b.py", existed=False)

    assert weakened([gone, come]) == []


def test_a_test_that_is_switched_off_on_its_way_to_another_file_is_told() -> None:
    text = "def test_a():\n    assert f() == 1"
    gone = file(text, "", exists=False)
    come = file("", f"@pytest.mark.skip\n{text}", path="tests/test_b.py", existed=False)

    assert weakened([gone, come]) == ["tests/test_b.py switches tests off"]


def test_a_new_test_may_be_for_one_system_only() -> None:
    new = file("", "@pytest.mark.skipif(sys.platform == 'win32')\ndef test_a():\n    assert f() == 1", existed=False)

    assert weakened([new]) == []
