"""The same claim in pgbench: what PostgreSQL gives without HTTP, one claim per statement and commit."""

import asyncio
import os
import re
import tempfile
from pathlib import Path

from bench.control import Plane
from locus.server.db import binaries
from locus.server.db.home import PORT
from locus.server.db.postmaster import SUPERUSER
from locus.server.dispatch.claims import CLAIM, START
from locus.server.settings import LEASE_MS

# The placeholders of the product's statement as variables of pgbench. It keeps the place of its last claim, as the
# server does, so that it does not walk over what has been claimed already.
VARIABLES = {
    "$1": ":workspace::uuid",
    "$2": ":sprint",
    "$3": ":agents",
    "$4": ":keys",
    "$5": "ARRAY[:number::text]",
    "$6": ":lease::float8",
    "$7": "ARRAY[false]",
    "$8": ":last_priority",
    "$9": ":last_position",
    "$10": ":last_id",
}
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def script() -> str:
    """The claim as a script for pgbench."""
    claim = re.sub(r"\$\d+", lambda found: VARIABLES[found[0]], CLAIM)
    return f"\\set number random(1, 9000000000000000000)\n{claim.strip()}\n\\gset last_\n"


async def claims_per_second(plane: Plane, *, clients: int, seconds: int) -> float:
    """Run it with so many clients.

    Raises:
        RuntimeError: there is no pgbench beside postgres, or it failed; with what it said.
    """
    folder = binaries.bundled() or next(binaries.installed(), None)
    if folder is None or not (folder / "pgbench").is_file():
        raise RuntimeError("There is no pgbench beside this machine's PostgreSQL.")
    first = {
        "workspace": plane.workspace_id,
        "sprint": plane.sprint_id,
        "agents": f"{{{plane.agents[0]}}}",
        "keys": f"{{{plane.key_id}}}",
        "lease": LEASE_MS,
        "last_priority": START.priority.value,
        "last_position": "-Infinity",
        "last_id": START.task_id,
    }
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "claim.sql")
        file.write_text(script())
        process = await asyncio.create_subprocess_exec(
            *(str(folder / "pgbench"), "-n", "-M", "prepared", "-f", str(file)),
            *("-c", str(clients), "-j", "2", "-T", str(seconds)),
            *(part for name, value in first.items() for part in ("-D", f"{name}={value}")),
            *("-h", str(plane.socket), "-p", str(PORT), "-U", SUPERUSER, "locus"),
            # As the server does: without it, PostgreSQL plans the statement every time.
            env={"PATH": os.defpath, "LC_ALL": "C", "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode(errors="replace")
    found = TPS.search(output)
    if process.returncode != 0 or found is None:
        raise RuntimeError(f"pgbench failed:\n{output[-2000:]}")
    return float(found[1])
