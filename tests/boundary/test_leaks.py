"""Nothing of a tree, a machine or an agent's words reaches the server: recorded, decoded, looked through."""

import asyncio
import base64
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, strategies as st
from tests.boundary.canaries import LINES, Canaries
from tests.boundary.conftest import Day
from tests.boundary.oracle import DEPTH, WINDOW, Leak, Oracle
from tests.boundary.recording import recording

KINDS = (
    *("body", "name", "folder", "ignored", "ignoredname", "untracked", "untrackedname", "dotenv", "environment"),
    *("gitname", "gitmail", "gitconfig", "password", "forge", "commit", "stdout", "stderr", "lastwords", "agentfile"),
    *("exception", "hook", "checkoutput", "checkerror", "instructions", "learnings", "tmpdir", "place", "user"),
    *("host", "hostvariable", "token"),
)
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda text: text,
    "base64": base64.b64encode,
    "base64, one byte later": lambda text: base64.b64encode(b"x" + text),
    "base64, two bytes later": lambda text: base64.b64encode(b"xy" + text),
    "base64 for URLs": base64.urlsafe_b64encode,
    "hex": lambda text: text.hex().encode(),
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "URL": lambda text: "".join(f"%{byte:02X}" for byte in text).encode(),
    "JSON": lambda text: "".join(f"\\u{ord(c):04x}" for c in text.decode("latin-1")).encode(),
    "UTF-16": lambda text: text.decode("latin-1").encode("utf-16-le"),
}


# ---- the day really happened, and its words were really planted


def test_the_recorded_day_had_every_kind_of_end(day: Day) -> None:
    assert Counter(day.statuses.values()) == {"IN_REVIEW": 3, "BLOCKEDno_change": 1, "BLOCKEDpush_refused": 1}, day.said
    asked = Counter(request.target.rsplit("/", 1)[-1] for request in day.recorded.requests())
    assert (
        min(asked[verb] for verb in ("agents", "claim", "heartbeat", "complete", "fail", "release", "pull-request")) > 0
    ), asked


def test_more_than_a_thousand_words_of_every_kind_are_planted(day: Day) -> None:
    assert set(day.canaries.words) == set(KINDS)
    assert day.canaries.count > 1000
    assert len(day.oracle.windows) > 50_000
    assert sum(kind == "path" for kind, _ in day.oracle.words) > 400


def test_the_agent_really_saw_and_said_them(day: Day) -> None:
    """In the transcripts, the outputs of checks and what the terminal showed: all of it on the machine."""
    kept = b"".join(path.read_bytes() for path in day.person.state.rglob("*") if path.is_file())
    kept += "\n".join(day.said).encode()
    shown = {kind: sum(word.encode() in kept for word in words) for kind, words in day.canaries.words.items()}

    for kind in ("body", "name", "checkoutput", "checkerror", "exception", "hook", "lastwords", "instructions", "user"):
        assert shown[kind] > 0, (kind, day.said[1:3])
    assert shown["stdout"] >= LINES


# ---- and nothing of them left


def test_no_window_no_path_and_no_planted_word_reached_the_server(day: Day) -> None:
    traffic = day.recorded.traffic

    assert len(traffic) > 10_000
    assert day.oracle.leaks(traffic) == []


async def test_the_database_holds_none_of_them_either(day: Day) -> None:
    tables = await day.server.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = []
    for table in tables:
        rows += await day.server.pool.fetch(f"SELECT t::text AS row FROM {table['tablename']} t")
    content = "\n".join(row["row"] for row in rows).encode()

    assert b"Task number 3" in content
    assert day.oracle.leaks(content) == []


def test_the_log_has_every_request_that_crossed_byte_for_byte_and_no_other(day: Day) -> None:
    crossed = Counter((request.method, request.target, request.body) for request in day.recorded.requests())
    logged: Counter[tuple[str, str, bytes]] = Counter()
    for file in sorted(day.log.glob("*.jsonl")):
        for line in file.read_bytes().splitlines():
            said = json.loads(line)
            if said["kind"] == "sent":
                # The body stands in the line as it was sent: taken out by its place, not by a parser.
                start, end = line.index(b'"body":') + len(b'"body":'), len(line) - 1
                body = b"" if said["body"] is None else line[start:end]
                target = said["path"] + (f"?{said['query']}" if said["query"] else "")
                logged[said["method"], target, body] += 1

    assert sum(crossed.values()) > 30
    assert logged == crossed


def test_every_header_that_crossed_is_logged_or_the_same_in_every_request(day: Day) -> None:
    usual = {"host", "user-agent", "accept", "accept-encoding", "connection", "content-type", "content-length"}
    per_request = {"x-request-id", "idempotency-key", "if-match", "last-event-id"}

    names = {name for request in day.recorded.requests() for name in request.headers}

    assert names - usual - per_request == {"authorization"}
    assert len({request.headers["user-agent"] for request in day.recorded.requests()}) == 1
    logs = b"".join(path.read_bytes() for path in day.log.glob("*.jsonl"))
    for request in day.recorded.requests():
        for name in per_request & set(request.headers):
            assert request.headers[name].encode() in logs
        assert request.headers["authorization"].removeprefix("Bearer ").encode() not in logs


# ---- the oracle has been seen to see


@pytest.mark.parametrize("kind", KINDS)
async def test_a_planted_leak_of_every_kind_is_seen_on_the_wire(day: Day, kind: str) -> None:
    word = day.canaries.words[kind][-1]

    async with recording(day.server.url) as recorded, httpx.AsyncClient(base_url=recorded.url) as leaking:
        await leaking.post("/api/v1/leak", json={"summary": f"It was {word}, I think."})

    assert Leak(kind, word.encode()) in day.oracle.leaks(recorded.traffic)


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_planted_leak_is_seen_in_every_encoding(day: Day, encoding: str) -> None:
    word = day.canaries.words["body"][0]

    async with recording(day.server.url) as recorded, httpx.AsyncClient(base_url=recorded.url) as leaking:
        await leaking.post("/api/v1/leak", content=ENCODINGS[encoding](f"It was {word}.".encode()))

    assert Leak("body", word.encode()) in day.oracle.leaks(recorded.traffic)


@pytest.mark.parametrize("outer", ENCODINGS)
@pytest.mark.parametrize("inner", ENCODINGS)
def test_encodings_around_each_other_hide_nothing(inner: str, outer: str) -> None:
    oracle = Oracle({"word": [Canaries(seed=1).new("word")]})
    word = oracle.words[0][1]

    for third in (ENCODINGS["as it is"], ENCODINGS["base64"], ENCODINGS["gzip"]):
        hidden = third(ENCODINGS[outer](ENCODINGS[inner](b"before " + word + b" after")))
        assert oracle.leaks(b"POST / HTTP/1.1\r\n\r\n" + hidden + b" "), (inner, outer)
    assert DEPTH == 3


async def test_a_sender_that_reports_the_last_words_of_its_agent_is_flagged(day: Day) -> None:
    """How tools of this kind usually report: the last paragraph of what the agent has said, as a comment."""
    output = (day.person.place / "changes.py").read_text() + "\n\nIn short: see " + day.canaries.words["lastwords"][0]

    async with recording(day.server.url) as recorded, httpx.AsyncClient(base_url=recorded.url) as leaking:
        await leaking.post(
            f"/api/v1/workspaces/{day.server.workspace.id}/tasks/WEB-1/comments",
            json={"text": output.strip().split("\n\n")[-1]},
        )

    assert "lastwords" in {leak.kind for leak in day.oracle.leaks(recorded.traffic)}


def test_one_window_of_a_file_is_enough_and_a_byte_less_is_not(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def total(rows):\n    return sum(row.amount for row in rows)\n")
    oracle = Oracle({}, [tmp_path])

    assert oracle.leaks(b"xx sum(row.amount for r yy")
    assert oracle.leaks(b"xx def total(rows): return sum yy")  # with other blanks
    assert not oracle.leaks(b"xx sum(row.amount for")
    assert len("sum(row.amount for r") == WINDOW


def test_a_path_below_a_folder_is_enough(tmp_path: Path) -> None:
    (tmp_path / "billing").mkdir()
    (tmp_path / "billing" / "vat.py").write_text("")

    found = Oracle({}, [tmp_path]).leaks(b'{"files":["billing%2Fvat.py"]}')

    assert found == [Leak("path", b"billing/vat.py")]


@given(
    st.binary(min_size=WINDOW, max_size=80),
    st.lists(st.sampled_from(list(ENCODINGS.values())), max_size=DEPTH),
    st.sampled_from([b"", b'{"a": "', b"POST / HTTP/1.1\r\n\r\n"]),
)
def test_no_piece_of_a_file_gets_through_in_any_nesting(
    content: bytes, encodings: list[Callable[[bytes], bytes]], before: bytes
) -> None:
    oracle = Oracle({})
    oracle.learn(content)
    hidden = content
    for encode in encodings:
        hidden = encode(hidden)

    assert oracle.leaks(before + hidden)


def test_ordinary_traffic_is_not_flagged(day: Day) -> None:
    body = json.dumps({"fence": 1, "commit": "a" * 40, "branch": "locus/sprint-1", "evidence": [], "numbers": {}})

    assert day.oracle.leaks(f"POST /api/v1/x HTTP/1.1\r\n\r\n{body}{quote('Task number 1')}".encode()) == []


async def test_the_recording_is_what_was_sent() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with recording(url) as recorded, httpx.AsyncClient() as client:
        await client.post(f"{recorded.url}/a?b=c", content=b"body")
    server.close()

    [request] = recorded.requests()
    assert (request.method, request.target, request.body) == ("POST", "/a?b=c", b"body")


def test_the_oracle_shares_no_code_with_the_product() -> None:
    for name in ("oracle.py", "recording.py", "canaries.py"):
        assert "from locus" not in Path(__file__).with_name(name).read_text()
