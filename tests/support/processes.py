"""Asking the operating system what is alive, and waiting until a fact holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import psutil

from locus.local.process import MARKER


def with_marker(marker: str) -> list[psutil.Process]:
    """Return every process of the machine that carries the marker of a run and is not a zombie."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARKER) == marker:
                found.append(process)
        except psutil.Error:
            continue
    return found


def with_argument(argument: str) -> list[psutil.Process]:
    """Return every process of the machine that has this argument, in whatever namespace it lives."""
    return [p for p in psutil.process_iter(["cmdline"]) if argument in (p.info["cmdline"] or [])]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(fact: Callable[[], bool], *, limit: float = 15.0) -> None:
    """Wait until a fact holds; fail when it does not within `limit` seconds."""
    end = time.monotonic() + limit
    while not fact():
        assert time.monotonic() < end, f"not within {limit} seconds"
        await asyncio.sleep(0.02)
