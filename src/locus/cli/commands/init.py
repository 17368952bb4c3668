"""`locus init`: prepare a repository."""

import click
from msgspec import Struct

from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local import project
from locus.local.scaffold.write import write


class Prepared(Struct, frozen=True):
    """What `--json` says."""

    root: str
    written: list[str]
    kept: list[str]
    checks: list[str]


@_command("init")
@click.pass_obj
def command(here: Invocation) -> None:
    """Prepare a repository: write .locus/ with checks, instructions and limits.

    Nothing outside of .locus/ is touched, and git's configuration never. What exists is kept, so it is safe to
    repeat.
    """
    done = write(project.find(here.cwd))
    loaded = project.load(done.root)
    out = Output(here)
    if here.json:
        names = [check.name for check in loaded.checks]
        out.json(Prepared(str(done.root), list(done.written), list(done.kept), names))
        return
    for name in done.written:
        out.note(Cell("✓ ", "green"), f"wrote {name}")
    for name in done.kept:
        out.note(Cell("○ ", "dim"), f"kept {name} as it is")
    for check in loaded.checks:
        out.note(f"Check `{check.name}` runs: {check.run}")
    if not loaded.checks:
        out.note("No tests were recognised. Name the command that runs yours in .locus/config.toml.")
    if done.written:
        out.note("Commit .locus/ and push it: agents begin at what the remote has.")
        out.note('Then write a task: locus tasks add "What is to be done"')
