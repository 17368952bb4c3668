"""One child process: its start, what it prints, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from locus.local.process import tree
from locus.local.process.enclosure import Enclosure
from locus.local.process.exits import Exit, call_at_exit
from locus.local.process.pipes import Feed, Kept, Lines, LineSplitter, Source, collect
from locus.local.process.starting import cannot_start

LINE_LIMIT = 4 << 20  # bytes; longer lines are images and file dumps, whose end nobody reads
STDERR_LIMIT = 32 << 10  # bytes
REAP_LIMIT = 5.0  # seconds to wait for the exit of a child after SIGKILL; a disk that hangs may delay it for ever
CLOCK_SLACK = 1.0  # seconds; creation times of processes are rounded to clock ticks

# Supervised children that have not been ended: while there are several, an orphan could be any one's.
_supervised: set[Child] = set()


class Child:
    """A long-running child whose lines are read while it works. Its owner must call `end`, also after its exit."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        marker: str,
        stdout: int,
        stderr: int,
        stderr_limit: int,
        enclosed: bool,
    ) -> None:
        """Use `Child.start`. `stdout` and `stderr` are the reading ends of its pipes."""
        loop = asyncio.get_running_loop()
        self.pid = process.pid
        self.marker = marker
        self.stderr = Kept(stderr_limit)
        self._process = process
        self._enclosed = enclosed
        self._since = time.time() - CLOCK_SLACK
        self._exit: asyncio.Future[Exit] = loop.create_future()
        self._patience_over: asyncio.Future[None] = loop.create_future()
        self._ending: asyncio.Task[None] | None = None
        self._recorded: set[psutil.Process] = set()
        self._feed: Feed | None = None
        self.stdout = Source(stdout, self._exit)
        self._splitter = LineSplitter(LINE_LIMIT)
        self._lines = Lines(self.stdout, self._splitter)
        self._reading_stderr = asyncio.create_task(collect(Source(stderr, self._exit), self.stderr))
        call_at_exit(process, self._exited)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes | None,
        listens: bool = False,
        marker: str,
        stderr_limit: int = STDERR_LIMIT,
        pass_fds: Sequence[int] = (),
        enclosure: Enclosure | None = None,
    ) -> Child:
        """Start a program in a session of its own; `stdin` is written and closed, None means nothing to read.

        Whoever `listens` is told more with `say`, until `hang_up`.

        `env` is the whole environment. `marker` names the run in the environment of everything that it starts, so
        that it can be found again. `pass_fds` stay open in it, such as a lock that must live as long as it does.
        With an `enclosure` the child is that program, with the command inside; `cwd` is its own matter then.
        Raises CannotStart.
        """
        around = enclosure or Enclosure(())
        supervised = marker != tree.UNSUPERVISED
        if supervised:
            tree.adopt_orphans()
        with ExitStack() as childs_ends, ExitStack() as our_ends:
            out, out_end = _pipe(our_ends, childs_ends)
            err, err_end = _pipe(our_ends, childs_ends)
            in_end, in_ = _pipe(childs_ends, our_ends) if stdin is not None else (subprocess.DEVNULL, -1)
            words = [*around.prefix, *argv]

            def start() -> subprocess.Popen[bytes]:
                return subprocess.Popen(
                    words,
                    cwd=cwd if enclosure is None else "/",
                    env={**env, tree.MARKER: marker},
                    stdin=in_end,
                    stdout=out_end,
                    stderr=err_end,
                    start_new_session=True,
                    pass_fds=(*pass_fds, *around.pass_fds),
                )

            try:
                process = start() if around.starter is None else around.starter.submit(start).result()
            except (OSError, ValueError) as e:
                raise cannot_start(words, cwd, e) from e
            our_ends.pop_all()
        tree.started.add(process.pid)
        child = cls(
            process,
            marker=marker,
            stdout=out,
            stderr=err,
            stderr_limit=stderr_limit,
            enclosed=enclosure is not None,
        )
        if stdin is not None:
            child._feed = Feed(in_, stdin, kept_open=listens)
        if supervised:
            _supervised.add(child)
        return child

    def lines(self) -> Lines:
        """Return the lines of stdout, without their newlines; a last line may lack one.

        They are read when they are asked for: a slow reader slows the child down. After the child's exit nobody
        waits longer than two seconds for a pipe that a grandchild holds. `lines_cut` counts lines longer than 4 MiB,
        of which only the beginning is given.
        """
        return self._lines

    def say(self, data: bytes) -> None:
        """Write more to the stdin of a child that listens."""
        if self._feed is not None:
            self._feed.write(data)

    def hang_up(self) -> None:
        """Close its stdin once everything is written."""
        if self._feed is not None:
            self._feed.finish()

    @property
    def lines_cut(self) -> int:
        return self._splitter.cut

    @property
    def stderr_tail(self) -> str:
        return self.stderr.tail.decode(errors="replace")

    async def stderr_read(self) -> None:
        """Wait until stderr has been read to its end."""
        await asyncio.wait({self._reading_stderr})

    async def wait(self) -> Exit:
        """Wait for the exit of the child itself; pipes that its descendants hold open do not matter."""
        return await asyncio.shield(self._exit)

    async def end(self, *, grace: float = 10.0, first: signal.Signals = signal.SIGTERM) -> None:
        """End the child and every process it started; return when none is alive.

        The child's process group (of one in an enclosure: that of the command inside) stands still at once, unless it
        is unsupervised, then gets the signal `first` and `grace` seconds; whatever is alive after that, or was left by
        a child that has ended, is killed. A second call may shorten the grace of the first. When cancelled, it kills
        at once. What the child has printed can still be read.
        """
        asyncio.get_running_loop().call_later(grace, self._lose_patience)
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(first))
        try:
            await asyncio.shield(self._ending)
        except asyncio.CancelledError:
            if not self._ending.done():
                self._kill_now()
            raise

    def _lose_patience(self) -> None:
        if not self._patience_over.done():
            self._patience_over.set_result(None)

    async def _end(self, first: signal.Signals) -> None:
        try:
            if not self._exit.done():
                # Held first: what an agent would do next may cost money, and what stands still is recorded whole. Not a
                # command of ours: were we killed now, nobody would look for it, and it would stand still for ever.
                held = self.marker != tree.UNSUPERVISED
                if held:
                    self._signal(signal.SIGSTOP)
                # Recorded before it may end: afterwards the links between parents and children may be gone.
                self._recorded = await asyncio.to_thread(tree.descendants, self.pid)
                self._signal(first)
                if held:
                    self._signal(signal.SIGCONT)
                either: set[asyncio.Future[Exit] | asyncio.Future[None]] = {self._exit, self._patience_over}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                self._recorded |= await asyncio.to_thread(tree.descendants, self.pid)
                self._signal_group(signal.SIGKILL)
            if self._tree != tree.Tree(None):
                await tree.end_tree(self._tree)
            await asyncio.wait({self._exit}, timeout=REAP_LIMIT)
        except asyncio.CancelledError:
            self._kill_now()
            raise
        finally:
            _supervised.discard(self)
            if self._feed is not None:
                self._feed.close()

    def _kill_now(self) -> None:
        """Kill without waiting, for when there is no time left to wait."""
        if not self._exit.done():
            self._recorded |= tree.descendants(self.pid)
        self._signal_group(signal.SIGKILL)
        tree.kill_once(self._tree)

    @property
    def _tree(self) -> tree.Tree:
        # Our own commands share one marker: of them only what was recorded is known.
        if self.marker == tree.UNSUPERVISED:
            return tree.Tree(None, self._recorded)
        alone = not _supervised - {self}
        return tree.Tree(self.marker, self._recorded, orphans_since=self._since if alone else None)

    def _signal(self, number: signal.Signals) -> None:
        """To the program itself, also when it is enclosed."""
        if not (self._enclosed and tree.signal_inside(self.pid, number)):
            self._signal_group(number)

    def _signal_group(self, number: signal.Signals) -> None:
        # Safe while the child is not reaped: until then nobody else can have its number.
        if self._process.poll() is None:
            try:
                os.killpg(self.pid, number)
            except OSError:
                pass

    def _exited(self, returncode: int) -> None:
        tree.started.discard(self.pid)
        if not self._exit.done():
            self._exit.set_result(Exit.of(returncode))

    def close(self) -> None:
        """Let go of the pipes. Needed only by who does not read the lines to their end."""
        if self._feed is not None:
            self._feed.close()
        self.stdout.close()
        self._reading_stderr.cancel()


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing
