"""One child process: its start, what it prints, its end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from locus.local.errors import LocalError
from locus.local.process import tree
from locus.local.process.enclosure import Enclosure
from locus.local.process.exits import Completed, Exit
from locus.local.process.pipes import Feed, Kept, Lines, LineSplitter, Source

LINE_LIMIT = 4 << 20  # bytes; longer lines are images and file dumps, whose end nobody reads
STDERR_LIMIT = 32 << 10  # bytes
OUTPUT_LIMIT = 8 << 20  # bytes
RUN_GRACE = 2.0  # seconds a command has to remove its lock files when its time is up
REAP_LIMIT = 5.0  # seconds to wait for the exit of a child after SIGKILL; a disk that hangs may delay it for ever
CLOCK_SLACK = 1.0  # seconds; creation times of processes are rounded to clock ticks

# Supervised children that have not been ended: while there are several, an orphan could be any one's.
_supervised: set[Child] = set()


class CannotStart(LocalError):
    """A program that could not be started: missing, not executable, or its directory is gone."""


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes | None = None,
    timeout: float,
    limit: int = OUTPUT_LIMIT,
    marker: str | None = None,
    enclosure: Enclosure | None = None,
) -> Completed:
    """Run a command to its end and return what it printed.

    `timeout` is in seconds; when it is over, the command and its descendants are ended. `limit` is in bytes, for
    stdout and stderr each. With a `marker` nothing that the command started outlives it; without one, daemons that
    it leaves behind (a credential cache, a shared ssh connection) live on.
    Raises CannotStart. When cancelled, the command and its descendants are ended first.
    """
    child = await Child.start(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin,
        marker=marker or tree.UNSUPERVISED,
        stderr_limit=limit,
        enclosure=enclosure,
    )
    stdout = Kept(limit)
    reading = asyncio.create_task(_collect(child.stdout, stdout))
    timed_out = completed = False
    try:
        try:
            async with asyncio.timeout(timeout):
                exit_ = await child.wait()
        except TimeoutError:
            timed_out = True
            await child.end(grace=RUN_GRACE)
            exit_ = await child.wait()
        if marker is not None:
            await child.end(grace=0.0)
        await reading
        await child.stderr_read()
        completed = True
    finally:
        reading.cancel()
        if not completed:
            await child.end(grace=0.0)
        child.close()
    stderr = child.stderr
    return Completed(exit_, stdout.value(), stderr.value(), stdout.truncated or stderr.truncated, timed_out)


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
        self._reading_stderr = asyncio.create_task(_collect(Source(stderr, self._exit), self.stderr))
        _call_at_exit(process, self._exited)

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
                raise _cannot_start(words, cwd, e) from e
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

        The child's process group (of one in an enclosure: that of the command inside) stands still at once, then gets
        the signal `first` and `grace` seconds; whatever is alive after that, or was left by a child that has ended, is
        killed. A second call may shorten the grace of the first. When cancelled, it kills at once. What the child has
        printed can still be read.
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
                # Held first: what it would do next may cost money, and what stands still is recorded whole. Recorded
                # before it may end: afterwards the links between parents and children may be gone.
                self._signal(signal.SIGSTOP)
                self._recorded = await asyncio.to_thread(tree.descendants, self.pid)
                self._signal(first)
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


async def _collect(source: Source, kept: Kept) -> None:
    while data := await source.read():
        kept.add(data)
        await asyncio.sleep(0)


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing


def _call_at_exit(process: subprocess.Popen[bytes], callback: Callable[[int], None]) -> None:
    """Call back in the loop, once, with the return code of a process; reap it and nothing else.

    Not asyncio's own way: its `wait` also waits for pipes that a grandchild holds (Python 3.12 and later).
    """
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        threading.Thread(target=_await_in_thread, args=(process, loop, callback), daemon=True).start()
        return

    def ended() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        callback(process.wait())

    loop.add_reader(fd, ended)


def _await_in_thread(
    process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, callback: Callable[[int], None]
) -> None:
    returncode = process.wait()
    try:
        loop.call_soon_threadsafe(callback, returncode)
    except RuntimeError:  # the loop is closed: nobody waits any more
        pass


def _cannot_start(argv: Sequence[str], cwd: Path, error: OSError | ValueError) -> CannotStart:
    name = argv[0]
    if isinstance(error, ValueError):
        return CannotStart(f"{name} could not be started: {error}.")
    if not cwd.is_dir():
        return CannotStart(f"{name} could not be started in {cwd}, which is not a directory (any more).")
    if isinstance(error, FileNotFoundError) and "/" not in name:
        return CannotStart(f"{name} is not installed, or not on PATH.")
    if isinstance(error, FileNotFoundError):
        return CannotStart(f"{name} does not exist, or the interpreter that its first line names does not.")
    if isinstance(error, PermissionError):
        return CannotStart(f"{name} may not be executed.", remedy=f"chmod +x {name}")
    if error.errno == errno.ENOEXEC:
        return CannotStart(f"{name} is not a program.", remedy="A script needs a first line such as #!/bin/sh")
    return CannotStart(f"{name} could not be started: {error.strerror}.")
