"""Reviews from the phone, by the real commands and a reviewer that is a small program."""

from tests.support import wrappers
from tests.support.telegram_bot import Rig

REVIEW = """\
cat > /dev/null
printf '{"verdict": "request_changes", "summary": "It <b>sums</b> wrong.", "findings": [{"file": "sums.py", "line": 1,'
printf ' "severity": "high", "confidence": "high", "title": "One is <left> out", "detail": "The first."}]}'
"""


async def test_a_branch_is_reviewed_and_nothing_iterated_from_the_phone(rig: Rig) -> None:
    wrappers.put_on_path(rig.person)
    rig.person.variables["LOCUS_SANDBOX"] = "on"
    rig.agent(REVIEW)
    root = rig.root
    rig.person.git("checkout", "-q", "-b", "locus/sprint-7", cwd=root)
    (root / "sums.py").write_text("print(sum([1, 2][1:]))\n")
    rig.person.git("add", "sums.py", cwd=root)
    rig.person.git("commit", "-q", "-m", "Sums", cwd=root)
    rig.person.git("push", "-q", "origin", "locus/sprint-7", cwd=root)
    rig.person.git("checkout", "-q", "main", cwd=root)
    await rig.start()

    rig.phone.send("/review")
    await rig.phone.sees("locus/sprint-7", "changes requested", "sums.py:1", "One is <left> out", limit=90)
    rig.phone.send("/review")
    await rig.phone.sees("was reviewed already", limit=90)
    rig.phone.send("/iterate 3")
    await rig.phone.sees("on no forge that Locus knows", limit=90)

    assert "It takes a number" in (await rig.phone.ask("/review --again")).text
    assert "number of a pull request" in (await rig.phone.ask("/iterate --watch")).text
