"""What is put around a command when it is started: a sandbox, seen from here."""

from __future__ import annotations

from concurrent.futures import Executor

from msgspec import Struct


class Enclosure(Struct, frozen=True):
    """A program that starts the command in its stead, watches over it, and ends as it ends.

    `prefix` comes before the command's own argv. `pass_fds` are descriptors that the program reads. `starter` is the
    thread to start it from, when that thread has restrictions that the child is to inherit: it must live for as long
    as the child, because a child that dies with its parent dies with the thread that started it.
    """

    prefix: tuple[str, ...]
    pass_fds: tuple[int, ...] = ()
    starter: Executor | None = None
