"""`locus bisect`: the task that broke something is named, in a tree beside the checkout; and what cannot be is said."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, one_of, workshop

# The agent writes the number of its task; task 3 breaks something.
DO = (
    "n = prompt.split('# Your task: WEB-')[1].split()[0].rstrip(':')\n"
    "pathlib.Path('n.txt').write_text(n)\n"
    "pathlib.Path('broken.txt').write_text('since ' + n) if n == '3' else None"
)


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A branch of four tasks, of which the third breaks something."""
    async with workshop(server, tmp_path / "shop") as made:
        for number in range(1, 5):
            await made.task(f"Do {number}")
        assert (await made.run(made.agent(DO))).result.succeeded
        yield made


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    return await signed_in(server, tmp_path)


async def test_the_task_that_broke_it_is_named_and_the_checkout_is_not_touched(shop: Workshop, ada: SignedIn) -> None:
    before = shop.fingerprint()

    said = await ada.did("bisect", "cat broken.txt 2>/dev/null; test ! -e broken.txt", cwd=shop.root)
    hangs = "test ! -e broken.txt || sleep 600"
    told = await ada.told("bisect", "-C", str(shop.root), "--timeout", "2", hangs)

    assert "WEB-3 broke it" in said
    assert "since 3" in said
    assert "locus revert WEB-3" in said
    assert (told["why"], told["branch"]) == ("found", "locus/sprint-1")
    assert one_of(told["suspects"])["task"] == "WEB-3"
    assert one_of(told["suspects"])["commit"] == shop.git("rev-parse", "locus/sprint-1~1", cwd=shop.remote)
    assert any("did not end within 2 s" in trial["why"] for trial in told["trials"])
    assert shop.fingerprint() == before


async def test_where_there_is_nothing_to_find_it_is_said_why(shop: Workshop, ada: SignedIn) -> None:
    seen = shop.place / "seen"
    never_bad = await ada.locus("bisect", "true", cwd=shop.root)
    never_good = await ada.locus("bisect", "echo no such thing; false", "--good", "web-1", cwd=shop.root)
    # Bad of the third task at first, and good when it is asked again.
    third = f"{{ test $(cat n.txt) = 3 && {{ test -e {seen} || {{ : > {seen}; false; }}; }}; }}"
    flaky = await ada.locus("bisect", f"test ! -e broken.txt || {third}", cwd=shop.root)
    unsure = await ada.locus("bisect", "case $(cat n.txt) in 4) false;; 2|3) exit 125;; esac", cwd=shop.root)
    missing = await ada.locus("bisect", "no-such-program --now", cwd=shop.root)
    stranger = await ada.locus("bisect", "true", "--good", "WEB-9", cwd=shop.root)

    assert "succeeds on the newest commit of locus/sprint-1" in never_bad.out
    assert "It does not succeed at" in never_good.out
    assert "no such thing" in never_good.out
    assert "not the same each time" in flaky.out
    suspects = unsure.out.split("could not be tried:")[1]
    assert [f"WEB-{number}" in suspects for number in (1, 2, 3, 4)] == [False, True, True, True]
    assert "The command cannot be started" in missing.err
    assert "has no commit WEB-9" in stranger.err
    assert [said.code for said in (never_bad, never_good, flaky, unsure, missing, stranger)] == [1] * 6
