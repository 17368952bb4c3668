"""The prompts of planning. Pure; text that somebody else wrote stands between marks, as in the prompts of tasks."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from locus.local.context.documents import Document
from locus.local.context.prompt import NEARBY, Mark
from locus.local.project import Check
from locus.wire.plans import PlanDraft


class Occasion(Struct, frozen=True, kw_only=True):
    """Everything that a plan is made from."""

    goal: str
    source: Document | None = None  # a file or an issue that the goal comes from
    instructions: Sequence[Document] = ()
    learnings: Sequence[str] = ()
    insights: Sequence[str] = ()
    codebase: str = ""
    checks: Sequence[Check] = ()
    earlier: PlanDraft | None = None
    feedback: Sequence[str] = ()  # of all rejected plans for this goal, oldest first


PERSPECTIVES = """\
Look at it three times before you answer:
- As the architect: which parts of this repository change, which must not, what has to exist before what?
- As the tech lead: is each task small enough for one attempt of an agent that sees nothing but this task and the
  repository? Does its description say what, where, how and where it ends? Which existing code is its model?
- As the organiser of the sprint: is the order right, can any two tasks be done in either order, what is missing, what
  can be left out, what may go wrong?"""

RULES = """\
- Read the code first: name real files, functions and tests. You can change nothing here.
- Agents do the tasks one after the other on one branch, in the order of the list. A task may rely on what comes
  before it, never on what comes after; say with depends_on what it really needs, and nothing else.
- Foundations first. Merge trivial tasks; split a task that touches too much.
- Each task has a checklist that decides whether it is done. Where one of the project's checks proves an item, name it.
- Say in each description what is out of bounds.
- Estimate in minutes of an agent's work, its checks included."""


def plan_prompt(occasion: Occasion) -> str:
    """Ask for a plan."""
    source = occasion.source
    texts = [occasion.goal, *occasion.feedback, *occasion.insights, *(one.text for one in occasion.instructions)]
    mark = Mark.beside([*texts, source.text if source else ""])
    parts = [
        "# Plan a sprint\n\nPropose a sprint for the repository in your working directory: what has to be done for this"
        " goal, as tasks for coding agents. You work alone and nobody can answer a question.",
        f"## The goal\n\n{mark.around('goal', occasion.goal)}",
    ]
    if source is not None:
        parts.append(f"## Where it comes from\n\n{mark.around(source.name, source.text)}")
    if occasion.earlier is not None:
        parts.append(_rejected(occasion.earlier, occasion.feedback, mark))
    if occasion.instructions:
        said = "\n\n".join(mark.around(one.name, one.text) for one in occasion.instructions)
        parts.append(f"## What the project says\n\n{said}")
    for title, lines in (
        ("What earlier work taught us", occasion.learnings),
        ("What was said in discussions about this", occasion.insights),
    ):
        if lines:
            parts.append(f"## {title}\n\n{mark.around('notes', _bullets(lines))}")
    if occasion.codebase:
        parts.append(f"## The repository\n\n{NEARBY}\n\n{mark.around('map', occasion.codebase)}")
    checks = _bullets(f"`{check.name}` runs `{check.run}`" for check in occasion.checks) or "There are none."
    parts += [
        f"## The project's checks\n\n{checks}",
        f"## How to go about it\n\n{PERSPECTIVES}",
        f"## Rules\n\n{RULES}",
        "## Your answer\n\nAnswer with the plan as one JSON object and nothing else.",
    ]
    return "\n\n".join(parts) + "\n"


def repair_prompt(faults: Sequence[str], *, again: int, asks: int) -> str:
    """Ask once more, with what is wrong."""
    return (
        "# The plan cannot be taken like this\n\n"
        f"{_bullets(faults)}\n\n"
        "Answer with the whole plan again as one JSON object and nothing else, with this mended and the rest as it was."
        f" This is chance {again} of {asks}.\n"
    )


def _rejected(earlier: PlanDraft, feedback: Sequence[str], mark: Mark) -> str:
    plan = msgspec.json.format(msgspec.json.encode(earlier)).decode()
    said = "\n\n".join(mark.around("feedback", text) for text in feedback)
    return (
        f"## The plan before, which was rejected\n\n{mark.around('plan', plan)}\n\n"
        f"### What the person says of it\n\n{said}\n\nTake all of it into account; keep what nobody objected to."
    )


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
