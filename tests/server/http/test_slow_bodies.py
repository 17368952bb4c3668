"""A body that comes too slowly does not hold a request for ever."""

import asyncio

from tests.support import server as servers

LIMIT = 0.3  # seconds


async def test_a_body_that_does_not_arrive_ends_its_request(dsn: str) -> None:
    async with servers.running(dsn, body_seconds=LIMIT) as server:
        secret = await server.key()
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.close()

    assert b" 408 " in answer.splitlines()[0]
    assert b"application/problem+json" in answer
