"""How long an answer takes says nothing of who has an account.

With `LOCUS_EXAMPLES` from 1000 on, 2,000 pairs of each kind are taken.
"""

import os
import re
import time
from random import Random

import httpx
import pytest
from tests.server.people.conftest import Town
from tests.support.people import somebody
from tests.support.timing import mann_whitney, told_apart

from locus.server.auth.site import PLAIN
from locus.wire.workspaces import MemberRole

PAIRS = 2_000 if int(os.environ.get("LOCUS_EXAMPLES", "0")) >= 1_000 else 120
# So that no limit on how many a person may ask for ends the measurement.
FORGET = "DELETE FROM sign_in_codes", "DELETE FROM invitations"

pytestmark = pytest.mark.timeout(1_800 if PAIRS > 1_000 else 240)


class Answers:
    """What is told to a stranger and to somebody who has an account, without what is random or is the address."""

    def __init__(self, *emails: str) -> None:
        self.emails = emails
        self.seen: tuple[set[str], set[str]] = (set(), set())

    def note(self, kind: int, answer: httpx.Response) -> None:
        headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
        told = f"{answer.status_code} {headers} {answer.text}".replace(self.emails[kind], "*")
        self.seen[kind].add(re.sub(r"locus-code=[^;]+", "locus-code=*", told))


async def both(town: Town) -> tuple[str, str]:
    """The address of somebody who has an account, and one as long that nobody has."""
    number = town.address("")
    known, stranger = f"known{number}", f"other{number}"
    await somebody(town.server, MemberRole.MEMBER, name="Ada", email=known)
    return known, stranger


async def post(browser: httpx.AsyncClient, path: str, data: dict[str, str]) -> tuple[float, httpx.Response]:
    began = time.perf_counter()
    answer = await browser.post(path, data=data, headers={"Accept-Encoding": "identity"})
    return time.perf_counter() - began, answer


async def forget(town: Town) -> None:
    for statement in FORGET:
        await town.server.pool.execute(statement)


async def test_how_long_asking_for_a_code_takes_tells_nothing(town: Town) -> None:
    emails = await both(town)
    answers = Answers(*emails)
    async with town.visitor() as browser:

        async def sample(kind: int) -> float:
            await forget(town)
            took, answer = await post(browser, "/sign-in", {"email": emails[kind]})
            answers.note(kind, answer)
            return took

        found = await told_apart(sample, PAIRS)

    assert found == []
    assert answers.seen[0] == answers.seen[1]
    assert len(answers.seen[0]) == 1


async def test_how_long_a_wrong_code_takes_tells_nothing(town: Town) -> None:
    emails = await both(town)
    answers = Answers(*emails)
    async with town.visitor() as browser:

        async def sample(kind: int) -> float:
            await forget(town)
            await post(browser, "/sign-in", {"email": emails[kind]})
            took, answer = await post(browser, "/sign-in/code", {"code": "AAAA-AAAA"})
            answers.note(kind, answer)
            return took

        found = await told_apart(sample, PAIRS)

    assert found == []
    assert answers.seen[0] == answers.seen[1]
    assert {told[:3] for told in answers.seen[0]} == {"422"}


async def test_how_long_an_invitation_takes_tells_nothing(town: Town) -> None:
    emails = await both(town)
    organization, workspace = await town.organization()
    owner = await somebody(
        town.server, MemberRole.OWNER, name="Eve", email=town.address("eve"), organization=organization
    )
    answers = Answers(*emails)
    async with owner.client(town.server) as browser:
        assert PLAIN in browser.cookies

        async def sample(kind: int) -> float:
            await forget(town)
            invited = {"email": emails[kind], "role": "MEMBER"}
            took, answer = await post(browser, f"/w/{workspace.prefix}/settings/members/invite", invited)
            answers.note(kind, answer)
            return took

        found = await told_apart(sample, PAIRS)

    assert found == []
    assert answers.seen[0] == answers.seen[1]
    assert {told[:3] for told in answers.seen[0]} == {"303"}


async def test_a_difference_of_a_sixth_of_the_spread_is_found_by_the_long_measurement() -> None:
    """The measurement itself can fail: it tells what comes of two normal distributions apart, and not of one."""
    chance = Random(1)

    async def apart(kind: int) -> float:
        return chance.gauss(1 + 0.015 * kind, 0.1)

    async def same(kind: int) -> float:
        return chance.gauss(1, 0.1)

    assert len(await told_apart(apart, 2_000)) == 3
    assert await told_apart(same, 2_000) == []


@pytest.mark.parametrize(
    ("first", "second", "chance", "larger"),
    [
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 0.0122, 1.0),  # as R's wilcox.test(exact = FALSE) has it
        ([1, 1, 1], [1, 1, 1], 1.0, 0.5),
        ([1, 3], [2, 2], 1.0, 0.5),
    ],
)
def test_the_test_of_mann_and_whitney_is_counted_right(
    first: list[float], second: list[float], chance: float, larger: float
) -> None:
    assert mann_whitney(first, second) == (pytest.approx(chance, abs=0.0001), larger)
