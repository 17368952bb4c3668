"""Cursors that somebody made up: refused by name, never an error of the server."""

import httpx
import pytest
from tests.support.server import RunningServer

from locus.server.http.paging import encode_cursor

FORGED = [
    encode_cursor(("2026-01-01T00:00:00", "00000000-0000-0000-0000-000000000001")),  # without an offset
    encode_cursor(("0001-01-01T00:00:00+23:59", "00000000-0000-0000-0000-000000000001")),
    encode_cursor(("9999-12-31T23:59:59-23:59", "00000000-0000-0000-0000-000000000001")),
    encode_cursor(("x", 1)),
    encode_cursor([]),
    "%%%",
    "e30",
]
LISTS = ["/docs", "/keys", "/agents", "/tasks", "/sprints"]


@pytest.mark.parametrize("cursor", FORGED)
@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_that_no_list_gave_out_is_no_error_of_the_server(
    server: RunningServer, api: httpx.AsyncClient, path: str, cursor: str
) -> None:
    answer = await api.get(server.path(path), params={"cursor": cursor})

    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize("path", ["/docs", "/keys", "/agents"])
async def test_a_time_without_an_offset_is_refused(server: RunningServer, api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(server.path(path), params={"cursor": FORGED[0]})

    assert answer.status_code == 422
