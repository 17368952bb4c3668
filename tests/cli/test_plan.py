"""`locus plan` with the real agents: proposing, asking again, rejecting, editing, and approving exactly once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support import agent_clis
from tests.support.beside import Beside, beside, standing, writes
from tests.support.model_server import Fails, Says, Step
from tests.support.person import Said
from tests.support.plans import answers, plan, task
from tests.support.scripted_http import reply, scripted

from locus.cli.beside.plan_view import graph
from locus.cli.beside.planning import SOURCE_LIMIT
from locus.local.planning.kept import Plans, State
from locus.local.sessions.folder import folder_of
from locus.wire.plans import PlanDraft, PlanTask

CHECKS = '[checks.unit]\nrun = "true"\n'


@pytest.fixture(params=["claude", "codex"])
def agent(request: pytest.FixtureRequest) -> str:
    agent_clis.require(request.param)
    return str(request.param)


def kept(here: Beside) -> list[tuple[int, State]]:
    plans = Plans(folder_of(here.checkout, here.person.place / "state")).all()
    return [(one.number, one.state) for one in plans]


def planned(place: Path, agent: str, *script: Step, arguments: tuple[str, ...] = ("Search",)) -> tuple[Said, Beside]:
    """What one `locus plan` said, in a repository with the check `unit`."""
    person = standing(place, agent)
    (person.home / "shop" / ".locus").mkdir()
    (person.home / "shop" / ".locus" / "config.toml").write_text(CHECKS)
    with beside(place, agent, *script, person=person) as here:
        return here.locus("plan", *arguments, "--yes"), here


@pytest.mark.real_agent
def test_a_good_plan_is_shown_with_its_tasks_its_order_and_its_risks(tmp_path: Path, agent: str) -> None:
    said, here = planned(tmp_path, agent, *answers(agent, plan()))

    assert said.code == 0, said
    for expected in (
        "Plan 1  Search",
        "Do model",
        "□ It works",
        "(also after 1)",
        "It may be slow",
        "3 tasks, 1 h 30 min",
    ):
        assert expected in said.out
    assert "locus plan --approve 1" in said.out
    assert kept(here) == [(1, State.PROPOSED)]
    assert "architect" in here.asked(0) and "`unit` runs `true`" in here.asked(0)


@pytest.mark.real_agent
@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ([plan(task("a", "b"), task("b", "a"))], "in a circle"),
        ([plan(task("a", checklist=[{"text": "x", "check": "e2e", "red_first": False}]))], "It has: unit"),
        (['{"name": "Search", ', '{"name": "Search", "tasks": [}'], "not one JSON object"),
        (["I would begin with the model."], "not one JSON object"),
    ],
    ids=["a circle", "an unknown check", "broken JSON twice", "prose"],
)
def test_a_wrong_answer_is_told_to_the_agent_and_the_next_good_one_is_taken(
    tmp_path: Path, bad: list[Any], fault: str
) -> None:
    script = [step for answer in [*bad, plan()] for step in answers("codex", answer)]

    said, here = planned(tmp_path, "codex", *script)

    assert said.code == 0, said
    assert said.err.count("asking again") == len(bad) == len(here.requests) - 1
    assert fault in here.asked()
    assert kept(here) == [(1, State.PROPOSED)]


# It knows nothing but what it is told now, and gives its answer in many lines, the first time one without a name.
ANY_PROGRAM = """\
said=$(cat)
case "$said" in *"JSON schema"*) ;; *) echo "Which form?"; exit ;; esac
case "$said" in *"Search for things"*) goal=known ;; *) goal=forgotten ;; esac
case "$said" in *"wrong name"*) name=Second ;; *) name= ;; esac
printf '```json\\n{\\n "name": "%s",\\n "goal": "%s",\\n "tasks": [\\n' "$name" "$goal"
printf '  {"ref": "a", "title": "A", "checklist": [{"text": "x"}]}\\n ]\\n}\\n```\\n'
"""


def test_any_program_can_plan_that_answers_in_the_form_it_is_told(tmp_path: Path) -> None:
    person = standing(tmp_path, "command")
    person.program("planner", ANY_PROGRAM)
    person.variables["LOCUS_AGENT_COMMAND"] = "planner"

    said = person.locus("plan", "Search for things", "--yes", "--json", cwd=person.home / "shop")

    assert said.code == 0, said
    draft = json.loads(said.out)["draft"]
    assert (draft["name"], draft["goal"]) == ("Second", "known")
    assert said.err.count("asking again") == 1


@pytest.mark.real_agent
def test_what_is_never_right_is_never_taken(tmp_path: Path) -> None:
    said, here = planned(tmp_path, "codex", Says("I would rather talk about it."))

    assert (said.code, said.out) == (1, "")
    assert "in 3 tries" in said.err and "locus sessions show" in said.err
    assert len(here.requests) == 3
    assert kept(here) == []


@pytest.mark.real_agent
def test_asking_again_takes_from_the_same_limit(tmp_path: Path) -> None:
    circle = plan(task("a", "b"), task("b", "a"))

    with beside(tmp_path, "codex", *answers("codex", circle)) as here:
        said = here.locus("plan", "Search", "--max-turns", "2", "--yes")

    assert said.code == 1
    assert "limit of turns or cost" in said.err
    assert len(here.requests) == 2


@pytest.mark.real_agent
def test_claude_that_answers_past_its_schema_is_asked_again(tmp_path: Path) -> None:
    prose = Says("I would begin with the model.")

    said, here = planned(tmp_path, "claude", prose, prose, prose, *answers("claude", plan()))

    assert said.code == 0, said
    assert kept(here) == [(1, State.PROPOSED)]


@pytest.mark.real_agent
def test_planning_changes_no_file_even_when_the_agent_tries(tmp_path: Path, agent: str) -> None:
    person = standing(tmp_path, agent)
    script = [writes(agent, person, "planted.txt", "x\n"), *answers(agent, plan())]
    with beside(tmp_path, agent, *script, person=person) as here:
        said = here.locus("plan", "Search", "--yes")

    assert said.code == 0, said
    assert person.git("status", "--porcelain", cwd=here.checkout) == ""


@pytest.mark.real_agent
def test_rejecting_plans_again_with_the_feedback_and_the_plan_before(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    script = [*answers("codex", plan()), *answers("codex", plan(task("only"), name="Less"))]
    with beside(tmp_path, "codex", *script, person=person) as here:
        here.locus("plan", "Search", "--yes")
        said = here.locus("plan", "--reject", "One task is enough", "--yes")
        shown = here.told("plan", "--show", "2")
        seen = here.asked()

    assert said.code == 0, said
    assert "Plan 2  Less" in said.out
    assert kept(here) == [(2, State.PROPOSED), (1, State.REJECTED)]
    assert "One task is enough" in seen and "Do model" in seen
    assert (shown["earlier"], shown["feedback"]) == (1, ["One task is enough"])


@pytest.mark.real_agent
def test_an_agent_that_fails_leaves_no_plan_and_says_why(tmp_path: Path) -> None:
    said, here = planned(tmp_path, "codex", Fails(401))

    assert said.code == 1
    assert "not signed in" in said.err
    assert kept(here) == []


@pytest.mark.real_agent
async def test_a_plan_is_made_from_an_issue_and_from_a_file(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    (person.home / "shop" / "idea.md").write_text("# Search for things\n\nWith typos, please.\n")
    issue = json.dumps({"title": "Add search", "body": "As in the other shop."}).encode()
    async with scripted(reply(200, issue)) as forge:
        person.variables.update({"LOCUS_FORGE_API": forge.url, "GITHUB_TOKEN": "t"})
        with beside(tmp_path, "codex", *answers("codex", plan()), person=person) as here:
            address = "https://github.com/ada/shop/issues/12"
            said = await asyncio.to_thread(here.locus, "plan", "--from", address, "--yes")
            from_issue = here.asked()
            file = await asyncio.to_thread(here.locus, "plan", "--from", "idea.md", "--yes")
            from_file = here.asked()

    assert (said.code, file.code) == (0, 0), (said, file)
    assert [one.path for one in forge.received] == ["/repos/ada/shop/issues/12"]
    assert "As in the other shop." in from_issue
    assert "With typos, please." in from_file
    assert "for: Search for things" in file.out


async def test_an_issue_that_is_not_there_is_said_by_its_address(tmp_path: Path) -> None:
    person = standing(tmp_path, "command", sandbox=False)
    person.program("planner", "exit 1")
    async with scripted(reply(404, b'{"message": "Not Found"}')) as forge:
        person.variables.update(LOCUS_FORGE_API=forge.url, GITHUB_TOKEN="t", LOCUS_AGENT_COMMAND="planner")
        address = "https://github.com/ada/shop/issues/12"
        said = await asyncio.to_thread(person.locus, "plan", "--from", address, "--yes", cwd=person.home / "shop")

    assert said.code == 1
    assert f"There is no {address} that the token may read." in said.err


@pytest.mark.real_agent
def test_what_a_plan_was_made_from_goes_with_the_next_one_whatever_became_of_it(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    shop = person.home / "shop"
    (shop / "sub").mkdir()
    (shop / "idea.md").write_text(f"# \n\n# Search for things\n\nWith typos.\n{'x' * SOURCE_LIMIT} the end\n")
    with beside(tmp_path, "codex", *answers("codex", plan()), person=person) as here:
        first = person.locus("-C", "..", "plan", "--from", "idea.md", "--yes", cwd=shop / "sub", timeout=150)
        told = here.asked()
        (shop / "idea.md").unlink()
        second = here.locus("plan", "--reject", "Smaller", "--yes")

    assert (first.code, second.code) == (0, 0), (first, second)
    assert "for: Search for things" in first.out
    assert "idea.md is long" in first.err and "[cut: these are the first" in told and "the end" not in told
    assert "instead of plan 1, for: Search for things" in second.out
    assert "With typos." in here.asked()


@pytest.mark.real_agent
def test_a_plan_that_was_sent_back_says_how_another_is_made_when_that_failed(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    script = [*answers("codex", plan()), Fails(401), Fails(401), *answers("codex", plan(name="Second"))]
    with beside(tmp_path, "codex", *script, person=person) as here:
        here.locus("plan", "Search", "--yes")
        failed = here.locus("plan", "--reject", "Smaller", "--yes")
        again = here.locus("plan", "--yes")

    assert failed.code == 1
    assert "Plan 1 stays sent back. To have another made instead of it: locus plan" in failed.err
    assert again.code == 0, again
    assert "Smaller" in here.asked()


def test_the_graph_shows_every_task_once_and_all_it_waits_for() -> None:
    waits = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    tasks = [PlanTask(ref=ref, title=ref.upper(), depends_on=before) for ref, before in waits.items()]

    assert graph(PlanDraft(name="p", tasks=tasks)) == [
        "1 A",
        "├─ 2 B",
        "└─ 3 C",
        "   └─ 4 D  (also after 2)",
        "5 E",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--approve", "--cancel"], ["--start"], [], ["--list", "--from", "x"], ["--show", "99"], ["--show", "../1"]),
        *(["3"], ["#3"], ["--list", "3"]),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    person = standing(tmp_path, "codex", sandbox=False)

    said = person.locus("plan", *arguments, cwd=person.home / "shop")

    assert said.code in (1, 2)
    assert said.out == ""
    assert said.err
