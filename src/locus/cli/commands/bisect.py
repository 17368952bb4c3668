"""`locus bisect`: the task whose commit broke something."""

import shlex

import click
from msgspec import Struct

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.cli.params import SprintName
from locus.cli.run.alone import place
from locus.cli.text import duration
from locus.local.git.history import Commit
from locus.local.worker.bisect import Answer, Bisect, Trial, Verdict, Why
from locus.local.worker.site import Site
from locus.local.worker.why import branch_of
from locus.local.worker.workplace import Options

TIMEOUT = 600.0  # seconds for one trial
TAIL = 20  # lines of the command's output that a person is shown
GLYPHS = {Verdict.GOOD: ("✓", "green"), Verdict.BAD: ("✗", "red"), Verdict.SKIPPED: ("–", "dim")}


class Suspect(Struct, frozen=True):
    """A commit that broke it, or may have. `task` is null for one that no worker made."""

    task: str | None
    commit: str
    subject: str
    agent: str | None


class Tried(Struct, frozen=True):
    """One trial. `task` is null for the base of the branch, and for commits that no worker made."""

    task: str | None
    commit: str
    verdict: Verdict
    why: str
    seconds: float


class Document(Struct, frozen=True):
    """What `locus bisect --json` says."""

    why: Why
    branch: str
    suspects: list[Suspect]
    trials: list[Tried]
    output: str  # of the last trial that failed


@frame.command("bisect")
@click.argument("words", metavar="COMMAND", nargs=-1, required=True)
@click.option("--sprint", type=SprintName("active"), metavar="N", help="Sprint to search. Default: the active one.")
@click.option("--good", metavar="KEY", help="Task, or commit, after which it was still good. Default: the base.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(1),
    default=TIMEOUT,
    show_default=True,
    help="Seconds for one trial; longer is bad.",
)
@click.pass_obj
def command(here: Invocation, words: tuple[str, ...], sprint: str | None, good: str | None, timeout: float) -> int:
    """Find the task of a sprint's branch that broke something.

    COMMAND is run by the shell on commits of the branch, each in a clean tree beside your checkout and in the sandbox.
    It says 0 for good and anything else for bad; 125 says that this commit cannot be told. Ends with 0 when the task
    was found, and with 1 when it was never good or never bad, or is not the same each time.
    """
    out = Output(here)
    text = words[0] if len(words) == 1 else shlex.join(words)

    async def find() -> tuple[str, str, list[Commit], Answer]:
        settings = session.settings(here)
        async with session.plane(here, settings_=settings) as plane:
            branch = branch_of(await plane.sprints.get(sprint or "active"))
            work = await place(here, plane, settings, Options(base=settings.base), lambda _: None)
            site = await Site.open(work, branch=branch, agent_name="bisect")
            try:
                bisect = Bisect(work, site, text, timeout)
                start, commits = await bisect.commits(_named(good))
                if not here.json:
                    many = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
                    out.note(Cell(f"{many} of {branch}, each tried with: ", "dim"), text)
                answer = await bisect.run(start, commits, tell=lambda trial: _tell(out, start, commits, trial))
            finally:
                await site.leave()
        return branch, start, commits, answer

    branch, start, commits, answer = session.run(find())
    if here.json:
        out.json(_document(branch, start, commits, answer))
    else:
        _say(out, branch, start, commits, answer)
    return 0 if answer.why is Why.FOUND else 1


def _named(good: str | None) -> str | None:
    return good.upper() if good and "-" in good else good


def _name(start: str, commits: list[Commit], at: int) -> str:
    if at == 0:
        return f"{start[:7]}, where it should be good"
    one = commits[at - 1]
    return f"{one.short}  {one.subject}"


def _tell(out: Output, start: str, commits: list[Commit], trial: Trial) -> None:
    if not out.json_wanted:
        glyph, style = GLYPHS[trial.verdict]
        why = f": {trial.why}" if trial.why else ""
        said = f"{trial.verdict}{why}"
        out.note(
            Cell(f"{glyph} ", style),
            _name(start, commits, trial.place),
            Cell(f"  {said}, {duration(trial.seconds)}", "dim"),
        )


def _say(out: Output, branch: str, start: str, commits: list[Commit], answer: Answer) -> None:
    out.note()
    match answer.why:
        case Why.FOUND:
            at = answer.suspects[0]
            one = commits[at - 1]
            out.line(Cell("✗ ", "red"), Cell(one.task or one.short, "bold"), f" broke it: {one.short}  {one.subject}")
            _output(out, answer.last(at))
            if one.task:
                out.note(f"Look at it: locus evidence {one.task}. Undo it: locus revert {one.task}")
        case Why.NEVER_BAD:
            out.line(f"It succeeds on the newest commit of {branch}, so nothing there has broken it.")
        case Why.NEVER_GOOD:
            first = answer.trials[-1]
            why = first.why or "it cannot be told there"
            out.line(f"It does not succeed at {start[:7]} either ({why}), so no later commit has broken it.")
            _output(out, first)
            out.note("Is what it needs there at all? Name a task after which it was good: --good KEY")
        case Why.FLAKY:
            at = answer.suspects[0]
            out.line(f"It is not the same each time: it said both good and bad of {_name(start, commits, at)}.")
            out.note("Make it say the same of the same tree first; until then it accuses nobody.")
        case Why.UNSURE if len(answer.suspects) == 1:
            out.line(
                f"The newest commit of {branch} cannot be tried ({answer.trials[-1].why}), so nothing can be found."
            )
            _output(out, answer.trials[-1])
        case Why.UNSURE:
            out.line("It is one of these, and those between could not be tried:")
            for at in answer.suspects:
                out.line("  ", _name(start, commits, at))


def _output(out: Output, trial: Trial) -> None:
    if trial.output.strip():
        out.line(Cell("It printed, last:", "dim"))
        out.text("\n".join(trial.output.rstrip().splitlines()[-TAIL:]))


def _document(branch: str, start: str, commits: list[Commit], answer: Answer) -> Document:
    shas = [start, *(commit.sha for commit in commits)]
    tasks = [None, *(commit.task for commit in commits)]
    bad = [trial for trial in answer.trials if trial.verdict is Verdict.BAD]
    suspects = [commits[at - 1] for at in answer.suspects if at and answer.why is not Why.NEVER_BAD]
    return Document(
        why=answer.why,
        branch=branch,
        suspects=[Suspect(one.task, one.sha, one.subject, one.agent) for one in suspects],
        trials=[
            Tried(tasks[one.place], shas[one.place], one.verdict, one.why, round(one.seconds, 3))
            for one in answer.trials
        ],
        output=bad[-1].output if bad else "",
    )
