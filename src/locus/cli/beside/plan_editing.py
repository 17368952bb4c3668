"""A plan in the person's editor, judged like an agent's, until it can be taken or they give up."""

import sys
from collections.abc import Collection

import click
import msgspec

from locus.cli import editor
from locus.cli.output import Output, is_terminal
from locus.local.errors import LocalError
from locus.local.planning.answer import judged
from locus.local.planning.kept import Kept
from locus.local.sessions.answer import Faults
from locus.wire.plans import PlanDraft

HINT = "The plan as JSON; `ref` and `depends_on` go together."


def edited(out: Output, plan: Kept, checks: Collection[str]) -> PlanDraft:
    """What the person made of a plan. Raises LocalError with what is wrong and where their text is."""
    text = msgspec.json.format(msgspec.json.encode(plan.draft)).decode()
    while True:
        written = editor.compose(text, name=f"plan-{plan.number}", hint=HINT)
        try:
            draft = judged(written.text, checks)
        except Faults as e:
            if not _once_more(out, e):
                with editor.kept(written):
                    found = "\n".join(f"- {fault}" for fault in e.faults)
                    raise LocalError(f"The plan cannot be taken like this, so nothing was changed:\n{found}") from e
            text = written.text
            written.path.unlink(missing_ok=True)
            continue
        written.path.unlink(missing_ok=True)
        return draft


def _once_more(out: Output, faults: Faults) -> bool:
    if not (sys.stdin.isatty() and is_terminal(sys.stderr)):
        return False
    for fault in faults.faults:
        out.beside(f"- {fault}")
    return click.confirm("Edit it again?", default=True, err=True)
