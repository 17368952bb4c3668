"""The egress log as it is written: before anything leaves, by several at once, through crashes and full disks."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from tests.local.egress.logs import BODY, only_file, request, written
from tests.support.scripted_http import reply, scripted

from locus.client.errors import NotLogged, Unreachable
from locus.client.transport import Transport
from locus.local.egress.log import EgressLog
from locus.local.egress.read import one, requests
from locus.local.egress.verify import verify
from locus.wire.docs import DocDraft
from locus.wire.workspaces import Organization

KEY = "lcs_" + "k" * 36
ORGANIZATION = b'{"id":"5b6f6a3c-95a0-4bf5-9f5f-0e3f2f9f0a01","name":"Acme","created_at":"2026-01-01T00:00:00Z"}'
WRITER = """
import sys
from pathlib import Path
from tests.local.egress.logs import request
from locus.local.egress.log import EgressLog
log = EgressLog(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    log.answered(log.sent(request(f"/{sys.argv[3]}/{number}")), 200)
"""


def writer(state: Path, count: int, name: str) -> "subprocess.Popen[bytes]":
    """Another process that writes."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(state), str(count), name],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )


async def test_a_request_stands_in_the_log_with_its_bytes_and_the_status_of_its_answer(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    async with scripted(reply(200, ORGANIZATION)) as script:
        transport = Transport(script.url, KEY, egress=log, patience=0.0)
        await transport.post("/docs", DocDraft(title="a < b & ü"), Organization, idempotency_key="k1")
        await transport.close()

    [found] = requests(log.place)
    assert (found.method, found.server, found.path, found.status) == ("POST", script.url, "/api/v1/docs", 200)
    assert bytes(found.body) == script.received[0].body
    assert found.headers["idempotency-key"] == "k1"
    assert found == one(log.place, found.number)


async def test_the_key_is_never_written_down(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    async with scripted(reply(200, ORGANIZATION)) as script:
        transport = Transport(script.url, KEY, egress=log, patience=0.0)
        await transport.get("/organization", Organization, parameters={"limit": 3})
        await transport.close()

    everything = only_file(log.place).read_text()
    assert script.received[0].headers["authorization"] == f"Bearer {KEY}"
    assert requests(log.place)[0].query == "limit=3"
    assert KEY not in everything
    assert "authorization" not in everything.lower()


async def test_every_try_is_written_down_and_so_is_that_nothing_came_back(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    async with scripted(reply(503), reply(200, ORGANIZATION)) as script:
        transport = Transport(script.url, KEY, egress=log, patience=5.0)
        await transport.get("/organization", Organization)
        await transport.close()
    nobody = Transport("http://127.0.0.1:1", KEY, egress=log, patience=0.0)
    with pytest.raises(Unreachable):
        await nobody.get("/organization", Organization)
    await nobody.close()

    assert [found.status for found in requests(log.place)] == [503, 200, None]


async def test_a_stream_is_written_down_like_any_request(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    async with scripted(reply(200, b"data: 1\n\n")) as script:
        transport = Transport(script.url, KEY, egress=log, patience=0.0)
        async with transport.stream("/events/stream", headers={"Last-Event-ID": "7"}, silence=5):
            pass
        await transport.close()

    [found] = requests(log.place)
    assert (found.path, found.headers["last-event-id"], found.status) == ("/api/v1/events/stream", "7", 200)


@pytest.mark.parametrize("trouble", ["a file is in the way", "the head cannot be opened"])
async def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path, trouble: str) -> None:
    log = EgressLog(tmp_path)
    if trouble == "a file is in the way":
        log.place.write_text("")
    else:
        (log.place / "head").mkdir(parents=True)
    async with scripted(reply(200, ORGANIZATION)) as script:
        transport = Transport(script.url, KEY, egress=log, patience=5.0)
        with pytest.raises(NotLogged, match="Nothing was sent"):
            await transport.post("/docs", DocDraft(title="x"), Organization)
        await transport.close()

    assert script.received == []


def test_a_full_disk_leaves_no_half_line_and_the_log_goes_on(tmp_path: Path) -> None:
    written(tmp_path, 2)
    place = tmp_path / "egress"
    before = only_file(place).read_bytes()
    # The limit of file sizes is met in the middle of a line, as a full disk would be.
    full = """
import resource, signal, sys
from pathlib import Path
from tests.local.egress.logs import request
from locus.client.errors import NotLogged
from locus.local.egress.log import EgressLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    EgressLog(Path(sys.argv[1])).sent(request())
except NotLogged as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", full, str(tmp_path), str(len(before) + 100)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "Nothing was sent" in said
    assert only_file(place).read_bytes() == before
    assert EgressLog(tmp_path).sent(request()) == 5
    assert verify(place).broken == []


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    writers = [writer(tmp_path, 100, f"w{number}") for number in range(4)]
    codes = []
    for one_ in writers:
        one_.communicate(timeout=60)
        codes.append(one_.returncode)

    found = requests(tmp_path / "egress")
    verdict = verify(tmp_path / "egress")
    assert codes == [0, 0, 0, 0]
    assert (verdict.broken, verdict.crashes) == ([], [])
    assert (verdict.requests, verdict.lines) == (400, 800)
    for name in range(4):
        assert [f.path for f in found if f.path.startswith(f"/w{name}/")] == [f"/w{name}/{n}" for n in range(100)]


def test_a_killed_writer_loses_nothing_that_was_written_and_breaks_nothing(tmp_path: Path) -> None:
    told = 0
    for round_ in range(8):
        child = writer(tmp_path, 100_000, f"w{round_}")
        assert child.stdout is not None
        child.stdout.readline()
        until = time.monotonic() + 10
        while not (tmp_path / "egress").is_dir() or len(requests(tmp_path / "egress", about=[f"/w{round_}/"])) < 3:
            assert time.monotonic() < until
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        now = len(requests(tmp_path / "egress"))
        assert now > told
        told = now

    EgressLog(tmp_path).sent(request("/last"))
    verdict = verify(tmp_path / "egress")
    assert verdict.broken == []
    assert verdict.requests == told + 1


def test_a_last_line_that_a_crash_cut_off_is_told_apart_from_tampering(tmp_path: Path) -> None:
    place = written(tmp_path, 2)
    with only_file(place).open("ab") as file:
        file.write(b'{"kind":"sent","n":5,"pre')

    before = verify(place)
    EgressLog(tmp_path).sent(request("/after"))
    after = verify(place)

    for verdict in (before, after):
        assert verdict.broken == []
        assert [(crash.line, "cut off by a crash" in crash.says) for crash in verdict.crashes] == [(5, True)]
    assert requests(place)[-1].path == "/after"


def test_a_line_that_a_crash_left_uncounted_is_counted_by_the_next_writer(tmp_path: Path) -> None:
    place = written(tmp_path, 2)
    head = (place / "head").read_bytes()
    EgressLog(tmp_path).sent(request("/uncounted"))
    (place / "head").write_bytes(head)  # as if the process had been killed between the line and the head

    before = verify(place)
    EgressLog(tmp_path).sent(request("/after"))
    after = verify(place)

    assert before.broken == []
    assert [crash.line for crash in before.crashes] == [5]
    assert (after.broken, after.crashes) == ([], [])
    assert [found.path for found in requests(place)][-2:] == ["/uncounted", "/after"]


def test_the_chain_goes_on_over_months_and_never_back(tmp_path: Path) -> None:
    place = written(tmp_path, 3)
    now = only_file(place)
    earlier = place / "2020-01.jsonl"
    now.rename(earlier)
    head = json.loads((place / "head").read_text())
    (place / "head").write_text(json.dumps({**head, "file": earlier.name}))

    EgressLog(tmp_path).sent(request("/this-month"))
    future = place / "9998-12.jsonl"
    now.rename(future)
    head = json.loads((place / "head").read_text())
    (place / "head").write_text(json.dumps({**head, "file": future.name}))
    EgressLog(tmp_path).sent(request("/the-clock-was-set-back"))

    assert verify(place).broken == []
    assert sorted(path.name for path in place.glob("*.jsonl")) == [earlier.name, future.name]
    assert [found.path for found in requests(place)][-2:] == ["/this-month", "/the-clock-was-set-back"]
    assert [found.number for found in requests(place)] == [1, 3, 5, 7, 8]


def test_nobody_else_can_read_the_log(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        place = written(tmp_path / "state", 1)
    finally:
        os.umask(old)

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


def test_a_link_that_somebody_planted_is_not_followed(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    log.place.mkdir()
    (tmp_path / "elsewhere").write_text("")
    (log.place / "head").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotLogged):
        log.sent(request())

    assert (tmp_path / "elsewhere").read_text() == ""


def test_writing_a_request_down_takes_less_than_a_millisecond(tmp_path: Path) -> None:
    log = EgressLog(tmp_path)
    taken = []
    for _ in range(300):
        began = time.perf_counter()
        log.answered(log.sent(request(body=BODY * 1)), 200)
        taken.append(time.perf_counter() - began)

    assert median(taken) < 0.001


def test_lines_are_what_the_documentation_says(tmp_path: Path) -> None:
    place = written(tmp_path, 1)

    sent, answered = (json.loads(line) for line in only_file(place).read_text().splitlines())
    assert (sent["kind"], sent["n"], sent["prev"]) == ("sent", 1, "0" * 64)
    assert (answered["kind"], answered["n"], answered["to"], answered["status"]) == ("answered", 2, 1, 200)
    assert re.fullmatch(r"[0-9a-f]{64}", answered["prev"])
    assert sent["body"] == json.loads(BODY)
