"""The sandbox: whether agents are kept in one, proved by trying to get out of it."""

from collections.abc import Mapping
from pathlib import Path

from locus.local.directories import directories
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.errors import LocalError
from locus.local.sandbox import Network, policy
from locus.local.sandbox.trial import desktop_is_open, escapes
from locus.local.settings import Settings


async def look(settings: Settings, environ: Mapping[str, str]) -> Finding:
    """Make a sandbox as a run would, and try in it what must not work."""
    try:
        chosen = policy.of(settings, environ)
        if chosen is None:
            return warning(
                "sandbox",
                f"The sandbox is switched off ({settings.origins['sandbox']}): agents run with your rights.",
                "locus config unset sandbox, or work in a machine that holds nothing an agent must not touch.",
            )
        worked = await escapes(chosen, environ, near=_existing(directories(environ).state))
    except LocalError as error:
        return failed("sandbox", error.message, error.remedy)
    if worked:
        return failed(
            "sandbox", f"Agents are not kept in the sandbox: {', '.join(worked)}.", "Update bubblewrap and the kernel."
        )
    if desktop_is_open(chosen):
        return warning(
            "sandbox",
            "Agents are kept in a sandbox, but could reach programs of your desktop through sockets without a file.",
            "locus config set network provider, or Linux 6.12 or newer.",
        )
    reach = {
        Network.OPEN: "the network is open",
        Network.PROVIDER: "the network is the model's service and your hosts",
    }
    return ok("sandbox", f"Agents are kept in a sandbox: tried, nothing of your home shows; {reach[chosen.network]}")


def _existing(path: Path) -> Path:
    """The nearest folder that is there: ours are made on first use."""
    while not path.is_dir():
        path = path.parent
    return path
