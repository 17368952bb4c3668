"""`locus upgrade`: the next version, through the installer that installed this one."""

import os
import sys
from importlib.metadata import distribution

import click

from locus.cli import session
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local.installation import changes, upgrading
from locus.local.installation.found import NAME, Found, Place, find
from locus.version import VERSION


@_command("upgrade")
@click.option("--check", is_flag=True, help="Only say whether there is a newer version.")
@click.option("--changed-since", "before", metavar="VERSION", hidden=True, help="Say what this one has since.")
@click.pass_obj
def command(here: Invocation, check: bool, before: str | None) -> None:
    """Upgrade Locus with the installer that installed it, and say what changed.

    That is uv, pipx or pip, with the index that it is configured for; from a checkout it says what to do instead. It
    never uses sudo. What runs meanwhile goes on with the version that it began with.
    """
    out = Output(here)
    if before is not None:
        _changed(out, before)
        return
    found = find(Place.of_this_process(), distribution(NAME))
    newest = session.run(upgrading.newest(found))
    if check or newest == VERSION:
        _checked(out, found, newest)
        return
    out.note(f"Locus {VERSION} is here, {newest} is the newest. Asking {found.installer.value} for it …")
    session.run(upgrading.upgrade(found))
    # The modules of this process are those of the old version, and their files are gone: the new one speaks.
    sys.stdout.flush()
    flags = [flag for flag, wanted in (("--json", here.json), ("--quiet", here.quiet)) if wanted]
    speak = [sys.executable, "-P", "-m", "locus", "upgrade", "--changed-since", VERSION, *flags]
    os.execv(sys.executable, speak)  # noqa: S606  # it is this very program


def _checked(out: Output, found: Found, newest: str) -> None:
    if out.json_wanted:
        out.json({"installed": VERSION, "newest": newest, "installer": found.installer.value})
    elif newest == VERSION:
        out.line(f"Locus {VERSION} is the newest that {found.installer.value} finds.")
    else:
        out.line(f"Locus {VERSION} is installed, {newest} is the newest.")
        out.note("Have it: locus upgrade")


def _changed(out: Output, before: str) -> None:
    """What the version that speaks has that `before` had not."""
    found = changes.since(before) if before != VERSION else []
    if out.json_wanted:
        out.json({"before": before, "installed": VERSION, "changes": found})
        return
    if before == VERSION:
        out.line(f"Locus is still {VERSION}: the installer is held to this version.")
        return
    out.line(Cell(f"Locus {before} is {VERSION} now.", "bold"))
    for section in found:
        out.line()
        out.line(Cell(section.version, "bold"))
        out.text("\n".join(section.lines))
    out.note("What runs already goes on with the old version until it is started anew, as `locus service` does.")
