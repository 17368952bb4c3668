"""A plan in the person's editor, judged like an agent's, until it can be taken or they give up."""

import sys
from collections.abc import Collection

import click
import msgspec

from locus.cli import editor
from locus.cli.beside import voice
from locus.cli.output import is_terminal
from locus.local.errors import LocalError
from locus.local.planning.answer import judged
from locus.local.planning.kept import Kept, Plans
from locus.local.sessions.answer import Faults
from locus.wire.plans import PlanDraft

HINT = "The plan as JSON; `ref` and `depends_on` go together."


def edit(plans: Plans, plan: Kept, checks: Collection[str]) -> bool:
    """Let the person change a plan; returns whether they did.

    Raises LocalError with what is wrong and where their text is.
    """
    draft, written = _edited(plan, checks)
    if changed := draft != plan.draft:
        plan.draft, plan.elsewhere = draft, False
        with editor.kept(written):
            if not plans.save_as_read(plan):
                raise LocalError(f"Plan {plan.number} was changed while you edited it, so yours was not taken.")
    written.path.unlink(missing_ok=True)
    return changed


def _edited(plan: Kept, checks: Collection[str]) -> tuple[PlanDraft, editor.Draft]:
    text = msgspec.json.format(msgspec.json.encode(plan.draft)).decode()
    while True:
        written = editor.compose(text, name=f"plan-{plan.number}", hint=HINT)
        try:
            draft = judged(written.text, checks)
        except Faults as e:
            if not _once_more(e):
                with editor.kept(written):
                    found = "\n".join(f"- {fault}" for fault in e.faults)
                    raise LocalError(f"The plan cannot be taken like this, so nothing was changed:\n{found}") from e
            text = written.text
            written.path.unlink(missing_ok=True)
            continue
        return draft, written


def _once_more(faults: Faults) -> bool:
    if not (sys.stdin.isatty() and is_terminal(sys.stderr)):
        return False
    for fault in faults.faults:
        voice.print_question(f"- {fault}")
    try:
        return click.confirm("Edit it again?", default=True, err=True)
    except click.Abort:
        return False
