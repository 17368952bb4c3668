"""Having a plan made: the occasion, the agent, what a person sees meanwhile, and the plan that is kept."""

import asyncio
import os

from locus.cli import session as sessions, words
from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.reply import remedy, where, why
from locus.cli.beside.stage import Stage
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.run.agent_words import spent_by_all
from locus.local import project
from locus.local.codemap.told import Wanted, told_of_checkout
from locus.local.context.documents import Document, instructions, learnings
from locus.local.discussion.insights import told_about
from locus.local.errors import LocalError
from locus.local.forge.issues import is_address, read_issue
from locus.local.forge.table import Choice
from locus.local.planning.kept import Kept, Plans
from locus.local.planning.prompt import Occasion, plan_prompt
from locus.local.planning.propose import propose
from locus.local.providers.base import Ending, Event, Finished
from locus.local.sessions.answer import AgentEnded, Repair
from locus.wire.plans import PlanDraft

SOURCE_LIMIT = 64 << 10  # characters of a file or an issue
GOAL_LIMIT = 200  # characters of a goal that is taken from one


def source_of(here: Invocation, stage: Stage, given: str) -> Document:
    """The file or the issue that a plan is made from. Raises LocalError and Usage."""
    if is_address(given):
        choice = Choice(stage.settings.forge, stage.settings.forge_api)
        issue = sessions.run(read_issue(given, os.environ, stage.root, choice))
        name, text = "issue", f"{issue.title}\n\n{issue.body}"
    else:
        name, text = "file", words.from_file(given if given == "-" else str(here.cwd / given))
    if not text.strip():
        raise LocalError(f"{_called(given)} is empty, so there is nothing to plan from.")
    if len(text) > SOURCE_LIMIT:
        kept = f"the first {SOURCE_LIMIT:,} of its {len(text):,} characters"
        voice.print_beside(Output(here), f"· {_called(given)} is long: the agent is told {kept}.")
        text = f"{text[:SOURCE_LIMIT]}\n[cut: these are {kept}]"
    return Document(name, text)


def goal_of(document: Document, given: str) -> str:
    """What is planned, when nobody has said it: what the document says first, or what it is called."""
    lines = (" ".join(line.lstrip("# ").split()) for line in document.text.splitlines())
    return next((line[:GOAL_LIMIT] for line in lines if line), _called(given))


def _called(given: str) -> str:
    return "What came in" if given == "-" else given


def make(
    here: Invocation,
    stage: Stage,
    goal: str,
    *,
    source: Document | None = None,
    named: str | None = None,
    earlier: Kept | None = None,
) -> Kept:
    """Have an agent plan, and keep what it proposes. Raises LocalError; KeyboardInterrupt when it was interrupted."""
    out = Output(here)
    found = project.load(stage.root)
    checks = [check.name for check in found.checks]
    about = f"{goal}\n{source.text if source else ''}"
    codemap = told_of_checkout(
        stage.folder.index,
        stage.root,
        os.environ,
        about,
        Wanted.of(stage.settings),
        trouble=lambda text: voice.print_beside(out, f"· {text}"),
    )
    occasion = Occasion(
        goal=goal,
        source=source,
        instructions=instructions(stage.root),
        learnings=learnings(stage.root),
        insights=told_about(stage.folder, about),
        codebase=sessions.run(codemap),
        checks=found.checks,
        earlier=earlier.draft if earlier else None,
        feedback=earlier.feedback if earlier else (),
    )
    session = stage.session()
    voice.print_beside(out, where(stage))

    took: list[Finished] = []

    def tell(event: Event | Repair) -> None:
        if isinstance(event, Finished):
            took.append(event)
        voice.print_progress(out, "plan", event)

    async def work(stop: asyncio.Event) -> PlanDraft:
        async with stage.desk(lambda text: voice.print_beside(out, text)) as desk:
            return await propose(desk, stage.shelf, session, plan_prompt(occasion), goal, checks, stop=stop, tell=tell)

    with Interrupts() as interrupts, stage.shelf.using(session):
        try:
            draft = sessions.run(interrupts.during(work))
        except AgentEnded as e:
            if e.finished.ending is Ending.STOPPED:
                voice.print_beside(out, "Interrupted: no plan was made.")
                raise KeyboardInterrupt from e
            raise LocalError(why(e.finished), remedy=remedy(e.finished, session.provider)) from e
        finally:
            if took_all := spent_by_all(took):
                voice.print_beside(out, took_all)
    used = session.used
    return Plans(stage.folder).add(
        goal=goal,
        draft=draft,
        provider=stage.provider.NAME,
        session=session.id,
        model=session.model,
        source=named,
        document=source,
        earlier=earlier,
        tokens=used.input_tokens + used.output_tokens,
        usd=used.usd,
    )
