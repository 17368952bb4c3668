"""The three pipes of a child: read and written without blocking, with bounded memory, and never waiting for
a grandchild that keeps one open."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator

from locus.local.process.exits import Exit

CHUNK = 1 << 16  # bytes; what a Linux pipe holds

# After the end of a child a pipe may stay open in a grandchild. What the child wrote is there at once;
# what comes later is somebody else's, and is read for this long at most.
DRAIN = 2.0  # seconds after the end, however much comes
DRAIN_IDLE = 0.25  # seconds without a byte after the end


class Source:
    """The reading end of a child's stdout or stderr; owns the descriptor."""

    def __init__(self, fd: int, ended: asyncio.Future[Exit]) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._ended = ended
        self._until: float | None = None
        self._woken: asyncio.Future[None] | None = None

    def __del__(self) -> None:
        self.close()

    async def read(self) -> bytes:
        """Return the next bytes, or none when there will be no more. May be cancelled without loss."""
        loop = asyncio.get_running_loop()
        while self._fd >= 0:
            if self._ended.done():
                self._until = self._until or loop.time() + DRAIN
                if loop.time() >= self._until:
                    break
            try:
                data = os.read(self._fd, CHUNK)
            except BlockingIOError:
                if not await self._more():
                    break
                continue
            except OSError:
                break
            if not data:
                break
            return data
        self.close()
        return b""

    async def _more(self) -> bool:
        """Wait until there is something to read or to decide; false when a leaked pipe has fallen silent."""
        was_over = self._ended.done()
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        loop.add_reader(self._fd, self._wake)
        if not was_over:
            self._ended.add_done_callback(self._wake)
        try:
            async with asyncio.timeout(DRAIN_IDLE if was_over else None):
                await self._woken
        except TimeoutError:
            return False
        finally:
            self._stop_waiting()
        return True

    def _wake(self, _: object = None) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _stop_waiting(self) -> None:
        if self._woken is not None:
            self._woken.get_loop().remove_reader(self._fd)
            self._ended.remove_done_callback(self._wake)
            self._wake()
            self._woken = None

    def close(self) -> None:
        """Let go of the pipe; who waits for it gets its end."""
        self._stop_waiting()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Feed:
    """The writing end of a child's stdin: writes `data`, then closes. A child that does not read does not matter.

    One that is `kept_open` takes more with `write`, and closes when `finish` has been called and all is written.
    """

    def __init__(self, fd: int, data: bytes, *, kept_open: bool = False) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._left = memoryview(data)
        self._loop = asyncio.get_running_loop()
        self._kept_open = kept_open
        self._loop.add_writer(fd, self._write)

    def write(self, data: bytes) -> None:
        """Write this after what is still to be written. Whoever has gone does not hear it."""
        if self._fd >= 0:
            self._left = memoryview(bytes(self._left) + data)
            self._loop.add_writer(self._fd, self._write)

    def finish(self) -> None:
        """Close once everything is written."""
        self._kept_open = False
        if self._fd >= 0 and not self._left:
            self.close()

    def _write(self) -> None:
        try:
            self._left = self._left[os.write(self._fd, self._left[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # EPIPE: the child has closed its stdin, or is gone
            self.close()
            return
        if self._left:
            return
        if self._kept_open:
            self._loop.remove_writer(self._fd)
        else:
            self.close()

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1


class Kept:
    """The first and the last bytes of a stream, at most `limit` together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = self._limit // 2 - len(self._head)
        self._head += data[: max(room, 0)]
        self._tail += data[max(room, 0) :]
        # Cutting off the front is a copy: do it once in a while, not for every chunk.
        if len(self._tail) > self._limit + CHUNK:
            self._shorten()

    def _shorten(self) -> None:
        excess = len(self._tail) - (self._limit - self._limit // 2)
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess

    @property
    def truncated(self) -> bool:
        self._shorten()
        return self._dropped > 0

    def value(self) -> bytes:
        """Return what was kept; where bytes are missing, a line says how many."""
        self._shorten()
        gap = b"\n[... %d bytes left out ...]\n" % self._dropped if self._dropped else b""
        return bytes(self._head) + gap + bytes(self._tail)

    @property
    def tail(self) -> bytes:
        self._shorten()
        return bytes(self._tail) if self._dropped else bytes(self._head + self._tail)


class LineSplitter:
    """Cuts a stream into lines. Of a line longer than `limit` bytes only the beginning is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._partial = bytearray()
        self._overlong = False
        self.cut = 0
        """How many lines were longer than the limit."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines that they complete, without their newline."""
        *complete, rest = data.split(b"\n")
        lines = []
        for piece in complete:
            self._extend(piece)
            lines.append(self._take())
        self._extend(rest)
        return lines

    def rest(self) -> bytes | None:
        """Return a last line without newline, if there is one."""
        return self._take() if self._partial else None

    def _extend(self, piece: bytes) -> None:
        room = self._limit - len(self._partial)
        self._overlong |= len(piece) > room
        self._partial += piece[:room]

    def _take(self) -> bytes:
        line = bytes(self._partial)
        self._partial.clear()
        self.cut += self._overlong
        self._overlong = False
        return line


class Lines(AsyncIterator[bytes]):
    """The lines of a source, read when they are asked for. `__anext__` may be cancelled without loss."""

    def __init__(self, source: Source, splitter: LineSplitter) -> None:
        self._source = source
        self._splitter = splitter
        self._ready: deque[bytes] = deque()
        self._over = False

    async def __anext__(self) -> bytes:
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            # A child that writes faster than we read must not keep the loop from its other work.
            await asyncio.sleep(0)
            data = await self._source.read()
            if data:
                self._ready.extend(self._splitter.feed(data))
                continue
            self._over = True
            rest = self._splitter.rest()
            if rest is not None:
                self._ready.append(rest)
        return self._ready.popleft()


async def collect(source: Source, kept: Kept) -> None:
    """Keep all that comes, until its end."""
    while data := await source.read():
        kept.add(data)
        await asyncio.sleep(0)
