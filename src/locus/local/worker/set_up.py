"""Running a project's set-up commands in a tree."""

from collections.abc import Callable

from locus.local.process import base_environment
from locus.local.sandbox import run_in
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace

TIMEOUT = 1800.0  # seconds for one command
SHOWN = 2000  # characters of what a command printed last


async def set_up(work: Workplace, site: Site, *, marker: str, begins: Callable[[str], None]) -> str | None:
    """Run them one after another; `begins` hears of each. Returns what is wrong with the first that fails.

    Raises LocalError when there is no sandbox.
    """
    for command in work.project.setup:
        begins(command)
        done = await run_in(
            site.sandbox,
            ["/bin/sh", "-c", f"exec 2>&1\n{command}"],
            cwd=site.tree,
            env=base_environment(work.environment),
            timeout=TIMEOUT,
            marker=marker,
        )
        if not done.ok:
            end = done.stdout.decode("utf-8", "replace")[-SHOWN:].strip()
            return f"`{command}` ended with {done.exit}.\n{end}"
    return None
