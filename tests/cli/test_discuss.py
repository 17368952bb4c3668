"""`locus discuss` and `locus insights` with real agents: what is said, what is kept, and who is told of it."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.beside import Beside, beside, standing, writes
from tests.support.model_server import Hangs, Says
from tests.support.plans import answers, plan

pytestmark = pytest.mark.real_agent

DECISION = {
    "kind": "decision",
    "title": "Sessions are cookies",
    "text": "They are signed, and live for a day.",
    "tags": ["sign-in"],
    "replaces": None,
}


def until(fact: Callable[[], bool], *, limit: float = 60.0) -> None:
    """Wait until a fact holds, for at most `limit` seconds."""
    end = time.monotonic() + limit
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.02)


def says(reply: str, *insights: dict[str, Any]) -> dict[str, Any]:
    return {"reply": reply, "insights": list(insights)}


def discussed(here: Beside, *arguments: str) -> dict[str, Any]:
    return dict(here.told("discuss", *arguments, "--yes"))


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_a_reply_is_shown_and_its_insights_are_kept(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, *answers(agent, says("Cookies, then. For how long?", DECISION))) as here:
        said = here.locus("discuss", "How do we keep sessions?", "--yes")
        kept = here.told("insights", "list")

    assert (said.code, said.out.splitlines()[0]) == (0, "Cookies, then. For how long?"), said
    assert "{" not in said.out, "the form is not shown"
    assert "+ decision: Sessions are cookies" in said.err
    assert [(one["kind"], one["title"], one["tags"]) for one in kept] == [
        ("decision", "Sessions are cookies", ["sign-in"])
    ]


def test_a_discussion_goes_on_is_summed_up_archived_and_deleted_and_its_insights_stay(tmp_path: Path) -> None:
    script = [
        step
        for answer in (says("For how long?", DECISION), says("A day it is."), says("Cookies, for a day."))
        for step in answers("codex", answer)
    ]
    with beside(tmp_path, "codex", *script) as here:
        first = discussed(here, "How do we keep sessions?")
        second = discussed(here, "-s", first["discussion"], "One day")
        summary = discussed(here, "--summary", first["discussion"])
        shown = here.told("discuss", "--show", first["discussion"])
        here.locus("discuss", "--archive", first["discussion"])
        listed, everything = here.told("discuss", "--list"), here.told("discuss", "--list", "--all")
        here.locus("discuss", "--delete", first["discussion"])
        left, insights = here.told("discuss", "--list", "--all"), here.told("insights", "list")

    assert (second["reply"], summary["reply"]) == ("A day it is.", "Cookies, for a day.")
    assert [one["text"] for one in shown["discussion"]["said"]] == [
        *("How do we keep sessions?", "For how long?", "One day", "A day it is.")
    ]
    assert shown["discussion"]["summary"] == "Cookies, for a day."
    assert (len(listed), len(everything), left) == (0, 1, [])
    assert [one["title"] for one in insights] == ["Sessions are cookies"]


def test_an_answer_without_the_form_is_asked_for_again_and_then_taken_as_words_alone(tmp_path: Path) -> None:
    with beside(tmp_path, "codex", Says("Just take cookies.")) as here:
        said = here.locus("discuss", "Sessions?", "--yes")

    assert (said.code, said.out.splitlines()[0]) == (0, "Just take cookies.")
    assert "no insights were taken" in said.err
    assert len(here.requests) == 2


def test_an_agent_without_memory_is_told_all_of_it_when_it_is_asked_again(tmp_path: Path) -> None:
    person = standing(tmp_path, "command")
    answer = json.dumps(says("Cookies.", DECISION))
    script = f"""case "$(cat)" in *Sessions?*"Answer again"*) echo '{answer}';; *) echo Hm.;; esac"""
    person.variables["LOCUS_AGENT_COMMAND"] = str(person.program("thinks", script))
    here = Beside(person, person.home / "shop", "command")

    told = discussed(here, "Sessions?")

    assert (told["reply"], [one["title"] for one in told["insights"]]) == ("Cookies.", ["Sessions are cookies"])


def test_a_discussion_outlives_the_agents_memory(tmp_path: Path) -> None:
    with beside(tmp_path, "codex", *answers("codex", says("For how long?", DECISION))) as here:
        first = discussed(here, "How do we keep sessions?")
        for session in here.told("sessions", "list"):
            here.locus("sessions", "delete", session["id"])
        again = discussed(here, "-s", first["discussion"], "One day")
        seen = here.asked()

    assert again["discussion"] == first["discussion"]
    assert "How do we keep sessions?" in seen and "For how long?" in seen and "One day" in seen


def test_a_summary_outlives_the_agents_memory_and_leaves_the_discussion_archived(tmp_path: Path) -> None:
    answered = [says("For how long?", DECISION), says("Cookies, for a day.")]
    with beside(tmp_path, "codex", *(step for one in answered for step in answers("codex", one))) as here:
        first = discussed(here, "How do we keep sessions?")
        here.locus("discuss", "--archive", first["discussion"])
        here.locus("sessions", "clear", "--yes")
        summary = discussed(here, "--summary", first["discussion"])
        seen = here.asked()
        listed = here.told("discuss", "--list")

    assert summary["reply"] == "Cookies, for a day."
    assert "How do we keep sessions?" in seen and "For how long?" in seen
    assert listed == []


def test_what_was_said_is_kept_when_everything_ends_at_once(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Hangs("Hm")) as here:
        child = here.person.at_terminal("discuss", "Sessions?", "--yes", cwd=here.checkout, timeout=90)
        until(lambda: len(here.requests) == 1)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        kept = here.told("discuss", "--list")

    assert [[one["text"] for one in discussion["said"]] for discussion in kept] == [["Sessions?"]]


def test_a_broken_discussion_hides_no_other_and_can_be_deleted(tmp_path: Path) -> None:
    with beside(tmp_path, "codex", *answers("codex", says("Yes."))) as here:
        broken, whole = (discussed(here, topic)["discussion"] for topic in ("One?", "Two?"))
        (place,) = (tmp_path / "state" / "beside").glob("*/discussions")
        (place / f"{broken}.json").write_text("{")
        listed = here.told("discuss", "--list")
        shown = here.locus("discuss", "--show", broken)
        deleted = here.locus("discuss", "--delete", broken)

    assert [one["id"] for one in listed] == [whole]
    assert (shown.code, deleted.code) == (1, 0)
    assert f"locus discuss --delete {broken}" in shown.err
    assert not (place / f"{broken}.json").exists()


def test_a_discussion_changes_no_file(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    script = [writes("codex", person, "planted.txt", "x\n"), *answers("codex", says("I tried."))]
    with beside(tmp_path, "codex", *script, person=person) as here:
        discussed(here, "Write something")

    assert person.git("status", "--porcelain", cwd=here.checkout) == ""


def test_a_plan_and_an_exec_are_told_the_insights_that_have_to_do_with_them(tmp_path: Path) -> None:
    with beside(tmp_path, "codex", *answers("codex", plan())) as here:
        here.locus("insights", "add", "Sessions are cookies", "--text", "Signed ones.")
        here.locus("insights", "add", "Prices are in cents", "--kind", "requirement")
        here.locus("plan", "Rework how sessions are kept", "--yes")
        planning = here.asked()
        here.locus("exec", "Where are prices rounded?", "--yes", "--read-only")
        doing = here.asked()

    assert "Sessions are cookies" in planning and "Prices are in cents" not in planning
    assert "Prices are in cents" in doing and "Sessions are cookies" not in doing


def test_at_a_terminal_the_discussion_goes_on_until_one_leaves(tmp_path: Path) -> None:
    script = [*answers("claude", says("For how long?", DECISION)), Hangs("Hm")]
    with beside(tmp_path, "claude", *script) as here:
        child = here.person.at_terminal("discuss", "Sessions?", "--yes", cwd=here.checkout, timeout=90)
        child.expect("For how long?")
        child.expect("Sessions are cookies")
        assert "For how long?" not in child.before, "what was shown as it came is not shown again"
        child.expect("›")
        child.send("/insights\r")
        child.expect("decision")
        child.expect("›")
        child.send("A day\r")
        child.expect("A day")
        # The agent thinks, and is interrupted; the discussion is not.
        until(lambda: len(here.requests) == 3)
        child.sendintr()
        child.expect("Interrupted")
        child.expect("›")
        child.sendeof()
        child.expect("The discussion is kept")
        child.wait()


def test_insights_are_edited_exported_and_deleted(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex", sandbox=False)
    here = Beside(person, person.home / "shop", "codex")

    made = here.told("insights", "add", "Sessions are cookies", "--tag", "sign-in")
    edited = here.told("insights", "edit", made["id"], "--title", "Sessions are tokens", "--kind", "idea")
    exported = here.locus("insights", "export")
    written = here.locus("insights", "export", "insights.md")
    again = here.locus("insights", "export", "insights.md")
    wrong = here.locus("insights", "edit", made["id"], "--title", "x" * 121)
    empty = [here.locus("insights", "edit", made["id"], flag, "") for flag in ("--title", "--text")]
    untagged = here.told("insights", "edit", made["id"], "--tag", "")
    none_like_that = here.locus("insights", "list", "--tag", "nothing")
    deleted = here.locus("insights", "delete", made["id"][:5])

    assert (edited["title"], edited["kind"], edited["tags"]) == ("Sessions are tokens", "idea", ["sign-in"])
    assert "## Ideas\n\n### Sessions are tokens" in exported.out
    assert (written.code, (here.checkout / "insights.md").read_text()) == (0, exported.out)
    assert (again.code, wrong.code, deleted.code, [said.code for said in empty]) == (2, 2, 0, [2, 2])
    assert (untagged["title"], untagged["tags"]) == ("Sessions are tokens", [])
    assert "No insight is like that." in none_like_that.out
    assert json.loads(here.locus("insights", "--json").out) == []
