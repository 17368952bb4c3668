"""With summaries switched on, plain words of the agent cross and nothing else of it does; off, not even those."""

import json
from typing import Any

from tests.boundary.conftest import GOOD, Day, Spoken
from tests.boundary.recording import Recording


def completions(recorded: Recording) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in recorded.requests() if one.target.endswith("/lease/complete")]


async def test_the_words_of_the_agent_really_crossed_and_are_stored(spoken: Spoken) -> None:
    assert set(spoken.statuses.values()) == {"IN_REVIEW"}, spoken.said
    sent = [body.get("summary") for body in completions(spoken.recorded)]

    assert sent == [GOOD, GOOD, GOOD, GOOD, None]
    stored = await spoken.server.pool.fetch("SELECT summary FROM attempts ORDER BY claimed_at")
    assert [row["summary"] for row in stored] == sent


def test_the_agent_really_said_what_must_not_leave(spoken: Spoken) -> None:
    seen = [spoken.oracle.leaks(message.encode()) for message in spoken.messages.values()]

    assert seen[0] == []
    assert all(seen[1:])
    kinds = {leak.kind for leaks in seen for leak in leaks}
    assert {"window", "path", "body", "name", "folder", "ignored", "dotenv", "environment", "gitname"} <= kinds


def test_with_summaries_on_no_window_no_path_and_no_planted_word_reached_the_server(spoken: Spoken) -> None:
    assert len(spoken.recorded.traffic) > 10_000
    assert spoken.oracle.leaks(spoken.recorded.traffic) == []


async def test_with_summaries_on_the_database_holds_none_of_them_either(spoken: Spoken) -> None:
    tables = await spoken.server.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = []
    for table in tables:
        rows += await spoken.server.pool.fetch(f"SELECT t::text AS row FROM {table['tablename']} t")

    assert spoken.oracle.leaks("\n".join(row["row"] for row in rows).encode()) == []


def test_each_summary_stands_in_the_log_of_the_machine_as_it_was_sent(spoken: Spoken) -> None:
    logged = b"".join(path.read_bytes() for path in sorted(spoken.log.glob("*.jsonl")))

    assert logged.count(json.dumps(GOOD).encode()) == 4
    assert all("This workspace asks for a summary" in said for said in spoken.said)


def test_with_summaries_off_none_crosses(day: Day) -> None:
    sent = completions(day.recorded)

    assert len(sent) >= 3
    assert [body for body in sent if "summary" in body] == []
    assert b'"summary"' not in day.recorded.traffic.replace(b'"summary":null', b"")
