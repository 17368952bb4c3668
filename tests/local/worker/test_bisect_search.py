"""The search alone, on a command that is a table: few trials, and honest answers where there is nothing to find."""

import math

from hypothesis import given, strategies as st

from locus.local.worker.bisect import Answer, Trial, Verdict, Why, search

GOOD, BAD, SKIPPED = Verdict.GOOD, Verdict.BAD, Verdict.SKIPPED


async def found(table: list[Verdict], *, second: dict[int, Verdict] | None = None) -> Answer:
    """Search where place n says table[n], and `second` from the second time on."""
    seen: list[int] = []

    async def test(place: int) -> Trial:
        again = place in seen
        seen.append(place)
        verdict = (second or {}).get(place, table[place]) if again else table[place]
        return Trial(place, verdict, "", 0.0, "")

    return await search(len(table) - 1, test)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
async def test_the_first_bad_commit_is_found_in_few_trials(case: tuple[int, int]) -> None:
    newest, first = case

    answer = await found([GOOD] * first + [BAD] * (newest - first + 1))

    assert (answer.why, answer.suspects) == (Why.FOUND, (first,))
    assert len(answer.trials) <= math.ceil(math.log2(newest)) + 4  # both ends, and the two that are tried again


async def test_what_never_fails_and_what_always_fails_accuse_nobody() -> None:
    assert (await found([GOOD] * 5)).why is Why.NEVER_BAD
    assert (await found([BAD] * 5)).why is Why.NEVER_GOOD
    assert (await found([SKIPPED, GOOD, BAD])).why is Why.NEVER_GOOD


async def test_what_says_something_else_the_second_time_accuses_nobody() -> None:
    table = [GOOD, GOOD, BAD, BAD]

    assert (await found(table, second={2: GOOD})).why is Why.FLAKY
    assert (await found(table, second={1: BAD})).why is Why.FLAKY


@given(st.lists(st.sampled_from([GOOD, SKIPPED]), max_size=12), st.lists(st.sampled_from([BAD, SKIPPED]), max_size=12))
async def test_commits_that_cannot_be_tried_leave_all_that_may_have_done_it(
    before: list[Verdict], after: list[Verdict]
) -> None:
    table = [GOOD, *before, *after, BAD]

    answer = await found(table)

    last_good = max(at for at, verdict in enumerate(table) if verdict is GOOD)
    first_bad = min(at for at, verdict in enumerate(table) if verdict is BAD)
    assert answer.suspects == tuple(range(last_good + 1, first_bad + 1))
    assert answer.why is (Why.FOUND if first_bad - last_good == 1 else Why.UNSURE)
