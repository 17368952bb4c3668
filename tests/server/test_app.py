"""The frame of the server: what holds for every route."""

import httpx


async def test_a_new_server_answers(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/me")

    assert answer.status_code == 200, answer.text
    assert answer.json()["organization"]["name"] == "Test"
