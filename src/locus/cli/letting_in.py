"""Signing in with a browser: this machine shows a code, a person compares it on the server's page, a key comes back."""

import asyncio
import os
import socket
import sys
import time

from locus.cli import session
from locus.cli.output import Output
from locus.client.devices import Devices
from locus.client.errors import PlaneError
from locus.client.plane import ControlPlane
from locus.wire.people import DeviceCode, DeviceState

UNNAMED = "a machine"
LONGEST = 100  # characters of a machine's name


async def key_from_browser(server: str, machine: str, out: Output) -> str:
    """Show a code and where to type it in, wait for the decision, and return the key.

    Raises:
        PlaneError: the person refused, or nobody decided in time.
    """
    async with ControlPlane(server, None, egress=session.egress()) as plane:
        devices = Devices(plane.transport)
        asked = await devices.ask(machine)
        _show(asked, machine, out)
        until = time.monotonic() + asked.expires_in_s
        while time.monotonic() < until:
            await asyncio.sleep(asked.poll_s)
            answer = await devices.answer(asked.device)
            if answer.state is DeviceState.APPROVED and answer.secret:
                return answer.secret
            if answer.state is DeviceState.DENIED:
                raise PlaneError("The page refused this machine.", remedy="Start again: locus login")
            if answer.state is DeviceState.GONE:
                break
    raise PlaneError("Nobody let this machine in within ten minutes.", remedy="Start again: locus login")


def machine_name(given: str | None) -> str:
    """What the page calls this machine: what was given, else its host name."""
    name = given or socket.gethostname()
    return "".join(letter for letter in name if letter.isprintable()).strip()[:LONGEST] or UNNAMED


def _show(asked: DeviceCode, machine: str, out: Output) -> None:
    out.note("Open this page, where you are signed in, and compare the code:")
    out.note()
    out.whole(asked.url)  # with --quiet too: without the two nobody can let it in
    out.whole(asked.code)
    out.note()
    out.note(f"The page will call this machine “{machine}”. Waiting, for ten minutes at most …")
    if sys.stderr.isatty() and ("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ or sys.platform == "darwin"):
        import webbrowser

        webbrowser.open(asked.url)
