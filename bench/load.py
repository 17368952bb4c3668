"""A load generator for claims: one process, many keep-alive connections, as little of its own as Python allows.

It is started as `python -m bench.load`, so that it has a processor of its own, and prints what it got as JSON.
"""

import asyncio
import selectors
import socket
import sys
import time

import msgspec

from bench.control import Plane

LEASE = b'"task_id":"'


class Order(msgspec.Struct, frozen=True):
    """What to do: claims on so many connections, one agent each, until `seconds` have passed or nothing is left."""

    host: str
    port: int
    path: str
    secret: str
    agents: list[str]
    seconds: float
    most: int  # claims of one connection


class Got(msgspec.Struct, frozen=True):
    """What came back. `seconds` is from the first request to the last answer; latencies are in seconds."""

    tasks: list[str]
    latencies: list[float]
    seconds: float
    refused: int


async def claim(plane: Plane, *, connections: int, seconds: float = 3600.0, most: int = 1_000_000_000) -> Got:
    """Run the generator against the control plane."""
    order = Order(
        host=plane.host,
        port=plane.port,
        path=f"{plane.path}/dispatch/claim",
        secret=plane.secret,
        agents=[str(agent) for agent in plane.agents[:connections]],
        seconds=seconds,
        most=most,
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate(msgspec.json.encode(order))
    return msgspec.json.decode(answer, type=Got)


class Connection:
    """One claimer: a request, its answer, the next request."""

    def __init__(self, order: Order, number: int) -> None:
        self.socket = socket.create_connection((order.host, order.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._body = msgspec.json.encode({"agent_id": order.agents[number]})
        self._head = (
            f"POST {order.path} HTTP/1.1\r\nHost: {order.host}\r\nAuthorization: Bearer {order.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self._body)}\r\nIdempotency-Key: "
        ).encode()
        self._run = f"{time.time_ns()}-{number}-"
        self._buffer = b""
        self.sent = 0
        self.began = 0.0

    def ask(self) -> None:
        self.sent += 1
        self.began = time.perf_counter()
        self.socket.sendall(self._head + f"{self._run}{self.sent}\r\n\r\n".encode() + self._body)

    def read(self) -> bytes | None:
        """The answer, once it is there to its end."""
        part = self.socket.recv(262_144)
        if not part:
            raise RuntimeError("the server closed the connection")
        self._buffer += part
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        at = head.lower().index(b"content-length: ") + 16
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return None
        self._buffer = b""
        return head + body


def run(order: Order) -> Got:
    """Claim until there is nothing left or the time is up."""
    chooser = selectors.DefaultSelector()
    tasks, latencies, refused, open_ones = [], [], 0, len(order.agents)
    connections = [Connection(order, number) for number in range(open_ones)]
    began = time.perf_counter()
    for connection in connections:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask()
    last = began
    while open_ones:
        for key, _ in chooser.select():
            connection = key.data
            answer = connection.read()
            if answer is None:
                continue
            last = time.perf_counter()
            ok = answer.startswith(b"HTTP/1.1 200")
            at = answer.find(LEASE) if ok else -1
            if at >= 0:
                tasks.append(answer[at + len(LEASE) : at + len(LEASE) + 36].decode())
                latencies.append(last - connection.began)
            refused += not ok
            if at < 0 or last - began > order.seconds or connection.sent >= order.most:
                chooser.unregister(connection.socket)
                connection.socket.close()
                open_ones -= 1
            else:
                connection.ask()
    return Got(tasks, latencies, last - began, refused)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))))
