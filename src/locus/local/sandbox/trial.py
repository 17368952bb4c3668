"""The proof of a sandbox on this machine: what must not work in it is tried."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from locus.local.process import base_environment
from locus.local.sandbox import sockets
from locus.local.sandbox.bubblewrap import NoSandbox, probe
from locus.local.sandbox.enclosed import opened
from locus.local.sandbox.needs import Needs
from locus.local.sandbox.policy import Network, Policy
from locus.local.sandbox.view import Ground

LIMIT = 20.0  # seconds
UNIX_SOCKETS = Path("/proc/net/unix")
MARKER = "sandbox-trial"
# Prints a word for each thing that worked, and the word at the end whatever did.
SCRIPT = """
cat "$1/secret" > /dev/null 2>&1 && echo read
( : > "$1/planted" ) 2> /dev/null && echo write
( : > /usr/locus-trial ) 2> /dev/null && echo system
[ -d "/proc/$2" ] && echo processes
( : > "$3/tree" ) 2> /dev/null && echo tree
echo over
"""
MEANING = {
    "read": "it can read files of your home",
    "write": "it can write to your home",
    "system": "it can write to the system",
    "processes": "it sees other processes",
}


async def escapes(policy: Policy, environ: Mapping[str, str], *, near: Path) -> list[str]:
    """Try to get out of a sandbox with this policy; returns what worked, in words: nothing, on a good day.

    `near` is a folder that a sandbox must not show, and in which a file is made for the trial and taken away.
    Raises NoSandbox.
    """
    await probe(environ)
    with (
        TemporaryDirectory(prefix="locus-trial-", dir=near) as outside,
        TemporaryDirectory(prefix="locus-trial-") as place,
    ):
        ground = _prepared(Path(outside), Path(place))
        # What the user shows on purpose is no escape.
        bare = replace(policy, read=(), write=())
        argv = ["/bin/sh", "-c", SCRIPT, "sh", outside, str(os.getpid()), str(ground.tree)]
        async with opened(bare, ground, Needs(), environ, tell=lambda _: None) as sandbox:
            done = await sandbox.run(argv, cwd=ground.tree, env=base_environment(environ), timeout=LIMIT, marker=MARKER)
    said = done.stdout.decode(errors="replace").split()
    if "over" not in said or "tree" not in said:
        detail = done.stderr.decode(errors="replace").strip()
        raise NoSandbox(f"A trial of the sandbox came to nothing: it ended with {done.exit}. {detail}".strip())
    return [meaning for word, meaning in MEANING.items() if word in said]


def _prepared(outside: Path, place: Path) -> Ground:
    (outside / "secret").write_text("x")
    (place / "tree").mkdir()
    return Ground(tree=place / "tree", private=place / "private")


def desktop_is_open(policy: Policy) -> bool:
    """Whether programs of this machine listen on abstract sockets that the sandbox cannot keep away."""
    if policy.network is not Network.OPEN or sockets.available():
        return False
    try:
        rows = UNIX_SOCKETS.read_text(errors="replace").splitlines()[1:]
    except OSError:
        return False
    # The last column is the name, with @ where an abstract one begins; flag 00010000 is set for who listens.
    return any(row.split()[3] == "00010000" and row.split()[-1].startswith("@") for row in rows)
