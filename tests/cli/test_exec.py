"""`locus exec` with the real agents: what a person sees, what their files become, and how sessions go on."""

import json
import os
import signal
from pathlib import Path

import pexpect
import pytest
from tests.support import agent_clis
from tests.support.beside import Beside, beside, runs, standing, writes
from tests.support.model_server import Fails, Hangs, Says

from locus.local.journal import LEDGER, Ledger
from locus.local.sessions.folder import folder_of
from locus.local.sessions.shelf import NoSuchSession, Shelf

pytestmark = pytest.mark.real_agent


@pytest.fixture(params=["claude", "codex"])
def agent(request: pytest.FixtureRequest) -> str:
    agent_clis.require(request.param)
    return str(request.param)


def test_the_answer_is_on_stdout_and_everything_else_is_not(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("It is a shop.")) as here:
        said = here.locus("exec", "What is this?", "--yes", "--read-only")

    assert (said.code, said.out) == (0, "It is a shop.\n")
    assert "in the sandbox: it may change nothing" in said.err
    assert "locus exec -s " in said.err


def test_what_an_agent_takes_beside_a_person_counts_for_the_day(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("It is a shop."), Says("A small one.")) as here:
        for question in ("What is this?", "How big?"):
            assert here.locus("exec", question, "--yes", "--read-only").code == 0

    taken = Ledger(tmp_path / "state" / LEDGER).of_today()
    told = [turn for session in Shelf(folder_of(here.checkout, tmp_path / "state")).all() for turn in session.turns]
    assert len(told) == 2
    assert taken.turns >= 2
    assert taken.tokens == sum(turn.input_tokens + turn.output_tokens for turn in told) > 0
    assert taken.seconds > 0


def test_a_limit_of_turns_ends_every_agent_at_most_one_answer_later(tmp_path: Path, agent: str) -> None:
    steps = [*(runs(agent, f"echo {number}") for number in range(5)), Says("Done.")]
    with beside(tmp_path, agent, *steps) as here:
        said = here.locus("exec", "Count", "--yes", "--max-turns", "2")
        session = here.told("sessions", "list")[0]["id"]
        asked = len(here.requests)
        again = here.locus("exec", "-s", session, "Go on", "--yes", "--max-usd", "50", "--json")

    assert said.code == 1
    assert asked in (2, 3), "codex does not wait for us between its answers"
    assert "The limit of 2 turns for this run is reached." in said.err
    assert f"Go on: locus exec -s {session}" in said.err
    assert (again.code, json.loads(again.out)["answer"]) == (0, "Done.")


def test_a_limit_of_money_is_kept_where_only_the_list_knows_the_price(tmp_path: Path) -> None:
    steps = [*(runs("codex", f"echo {number}") for number in range(20)), Says("Done.")]
    with beside(tmp_path, "codex", *steps) as here:
        said = here.locus("exec", "Count", "--yes", "--max-usd", "0.01", "--json")

    told = json.loads(said.out)
    assert (said.code, told["ending"]) == (1, "budget")
    assert "The limit of $0.01 for this run is reached" in told["detail"]
    assert 0.01 <= told["usd"] < 0.02


def test_after_a_limit_of_the_day_nobody_is_started_beside_a_person(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("One.")) as here:
        here.person.variables["LOCUS_DAY_TURNS"] = "1"
        first = here.locus("exec", "One", "--yes")
        asked = len(here.requests)
        others = [here.locus(name, "Two", "--yes") for name in ("exec", "discuss", "plan")]

    assert (first.code, asked, len(here.requests)) == (0, 1, 1)
    for said in others:
        assert said.code == 1
        assert "The limit of 1 turn for today is reached. (day_turns)" in said.err


def test_the_agent_edits_the_checkout_but_not_its_git(tmp_path: Path, agent: str) -> None:
    person = standing(tmp_path, agent)
    git = person.home / "shop" / ".git"
    before = (git / "config").read_bytes()
    # In a file: claude itself refuses a command that names .git, which is not what is tried here.
    attack = "cat README.md > .git/hooks/post-checkout; cat README.md > .git/config; git log --format=%s"
    (person.home / "shop" / "attack.sh").write_text(attack)
    script = [writes(agent, person, "hello.txt", "hello\n"), runs(agent, "sh attack.sh"), Says("Done.")]
    with beside(tmp_path, agent, *script, person=person) as here:
        said = here.locus("exec", "Write hello", "--yes")
        seen = here.asked()

    assert said.code == 0, said
    assert (here.checkout / "hello.txt").read_text() == "hello\n"
    assert (git / "config").read_bytes() == before
    assert not (git / "hooks" / "post-checkout").exists()
    assert "Begin" in seen, "the history can be read"
    assert "Read-only file system" in seen


def test_read_only_keeps_the_agent_from_every_change(tmp_path: Path, agent: str) -> None:
    person = standing(tmp_path, agent)
    script = [writes(agent, person, "one.txt", "x\n"), runs(agent, "echo x > two.txt"), Says("I could not.")]
    with beside(tmp_path, agent, *script, person=person) as here:
        said = here.locus("exec", "Write", "--yes", "--read-only")

    assert (said.code, said.out.splitlines()[-1]) == (0, "I could not.")
    assert here.person.git("status", "--porcelain", cwd=here.checkout) == ""


def test_a_session_goes_on_in_the_agents_own_memory(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("Green."), Says("Still green.")) as here:
        here.locus("exec", "The colour is green.", "--yes")
        session = here.told("sessions", "list")[0]["id"]
        again = here.locus("exec", "-s", session[:5], "Which colour?", "--yes", "--json")
        seen = here.asked()
        shown = here.told("sessions", "show", session)

    assert again.code == 0, again
    assert "The colour is green." in seen and "Green." in seen, "the agent itself remembers"
    assert [turn["prompt"] for turn in shown["turns"]] == ["The colour is green.", "Which colour?"]
    assert [turn["answer"] for turn in shown["turns"]] == ["Green.", "Still green."]


def test_without_streaming_only_the_last_answer_is_printed(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude")
    script = [runs("claude", "true"), Says("The end.")]
    with beside(tmp_path, "claude", *script, person=person) as here:
        said = here.locus("exec", "Go", "--yes", "--no-stream", "--quiet")

    assert (said.code, said.out) == (0, "The end.\n")
    assert said.err == ""


def test_an_error_of_the_service_is_told_with_the_agents_words(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Fails(401)) as here:
        said = here.locus("exec", "Go", "--yes")

    assert said.code == 1
    assert "not signed in" in said.err
    assert f"Start {agent} once and sign in." in said.err


def test_nothing_is_started_before_somebody_agreed(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("x")) as here:
        said = here.locus("exec", "Go")

        assert said.code == 1
        assert "in this checkout" in said.err and "locus exec --yes" in said.err
        assert list(here.requests) == []


def test_what_the_project_says_is_told_once_at_the_beginning(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude")
    (person.home / "shop" / ".locus").mkdir()
    (person.home / "shop" / ".locus" / "LOCUS.md").write_text("Use tabs, says the project.\n")
    with beside(tmp_path, "claude", Says("Yes."), person=person) as here:
        here.locus("exec", "One", "--yes")
        session = here.told("sessions", "list")[0]["id"]
        here.locus("exec", "-s", session, "Two", "--yes")
        seen = here.asked()

    assert seen.count("Use tabs, says the project.") == 1


def test_a_conversation_can_be_interrupted_and_goes_on(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude")
    with beside(tmp_path, "claude", Hangs("Let me think"), Says("Here you are."), person=person) as here:
        child = person.at_terminal("exec", "-i", "--yes", cwd=here.checkout, timeout=60)
        child.expect("/help tells more")
        child.expect("›")
        child.send("First question\r")
        child.expect("Let me think")
        child.sendintr()
        child.expect("Interrupted.")
        child.expect("›")
        child.send("Second question\r")
        child.expect("Here you are.")
        child.expect("›")
        child.send("/session\r")
        child.expect("2 turns")
        child.expect("›")
        child.sendeof()
        child.expect("The session is kept")
        child.expect(pexpect.EOF)
        child.close()
        seen = here.asked()

    assert child.exitstatus == 0
    assert "First question" in seen and "Second question" in seen
    assert len(Shelf(folder_of(here.checkout, tmp_path / "state")).all()) == 1


def test_without_a_terminal_there_is_no_conversation(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("x")) as here:
        said = here.locus("exec", "-i", "--yes")

    assert said.code == 2
    assert "needs a terminal" in said.err


def test_sessions_are_found_by_a_beginning_that_is_enough_and_never_by_another(tmp_path: Path) -> None:
    shelf = Shelf(folder_of(tmp_path, tmp_path / "state"))
    for name in ("aaaabbbb", "aaaacccc"):
        session = shelf.new(root=tmp_path, cwd=tmp_path, provider="claude", sandboxed=True, read_only=False, name=name)
        shelf.save(session)

    assert shelf.name("aaaab") == "aaaabbbb"
    for bad in ("aaaa", "b", "", "../aaaabbbb", "aaaabbbb/..", ".", "AAAA*"):
        with pytest.raises(NoSuchSession):
            shelf.name(bad)
    shelf.delete("aaaab")
    assert shelf.ids() == ["aaaacccc"]


def test_deleting_a_session_deletes_what_the_agent_kept_of_it(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("x")) as here:
        here.locus("exec", "The word is xylophone.", "--yes")
        session = here.told("sessions", "list")[0]["id"]
        assert remembered(here, "xylophone")
        deleted = here.locus("sessions", "delete", session)

    assert deleted.code == 0, deleted
    assert remembered(here, "xylophone") == []
    assert here.told("sessions", "list") == []


def test_sessions_are_found_below_exec_too(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("x")) as here:
        here.locus("exec", "Go", "--yes")
        listed, below = here.told("sessions", "list"), here.told("exec", "sessions", "list")
        here.locus("exec", "sessions", "clear", "--yes")

    assert below == listed and len(below) == 1
    assert here.told("sessions", "list") == []


def test_a_session_that_somebody_works_in_is_not_gone_on_with(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("x")) as here:
        here.locus("exec", "Go", "--yes")
        shelf = Shelf(folder_of(here.checkout, tmp_path / "state"))
        session = shelf.all()[0]
        with shelf.using(session):
            said = here.locus("exec", "-s", session.id, "Go on", "--yes")

    assert said.code == 1
    assert "Another command is at work" in said.err


def test_a_conversation_sees_what_another_command_has_made_of_its_session(tmp_path: Path) -> None:
    with beside(tmp_path, "claude", Says("One."), Says("Two."), Says("Three.")) as here:
        here.locus("exec", "First", "--yes")
        shelf = Shelf(folder_of(here.checkout, tmp_path / "state"))
        session = shelf.all()[0].id
        child = here.person.at_terminal("exec", "-i", "-s", session, "--yes", cwd=here.checkout, timeout=60)
        child.expect("›")
        here.locus("exec", "-s", session, "Second", "--yes")
        with shelf.using(shelf.find(session)):
            child.send("Third\r")
            child.expect("Another command is at work")
        child.expect("›")
        child.send("Third\r")
        child.expect("Three.")
        child.expect("›")
        child.sendeof()
        child.expect("The session is kept")
        child.expect(pexpect.EOF)

    assert [turn.prompt for turn in shelf.find(session).turns] == ["First", "Second", "Third"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_conversation_and_the_agent_at_work(tmp_path: Path, number: int, code: int) -> None:
    with beside(tmp_path, "claude", Hangs("Let me think")) as here:
        child = here.person.at_terminal("exec", "-i", "--yes", cwd=here.checkout, timeout=60)
        child.expect("›")
        child.send("Go\r")
        child.expect("Let me think")
        child.kill(number)
        child.expect(pexpect.EOF)
        child.close()

    assert child.exitstatus == code
    assert [turn.ending for turn in Shelf(folder_of(here.checkout, tmp_path / "state")).all()[0].turns] == ["stopped"]


def test_an_agent_that_must_ask_does_what_somebody_at_the_terminal_allows(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude")
    person.variables["LOCUS_PERMISSIONS"] = "ask"
    writing = [runs("claude", f"sh -c 'echo {name} > {name}'") for name in ("one", "one", "two")]
    with beside(tmp_path, "claude", writing[0], Says("A."), writing[1], writing[2], Says("B."), person=person) as here:
        child = person.at_terminal("exec", "-i", "--yes", cwd=here.checkout, timeout=60)
        child.expect("›")
        child.send("Write one\r")
        child.expect("may it.*Bash.*echo one")
        child.expect("r: for this run")
        assert not (here.checkout / "one").exists()
        child.send("r\r")
        child.expect("allowed for this run by somebody at the terminal")
        child.expect("A\\.")
        assert (here.checkout / "one").read_text() == "one\n"
        (here.checkout / "one").unlink()
        child.expect("›")
        child.send("Write both\r")
        child.expect("may it.*Bash.*echo two")  # what was allowed for the run is not asked again
        assert (here.checkout / "one").exists()
        child.expect("it is denied")
        child.send("d\r")
        child.expect("denied by somebody at the terminal")
        child.expect("B\\.")
        child.expect("›")
        child.sendeof()
        child.expect(pexpect.EOF)

    assert not (here.checkout / "two").exists()


def test_an_agent_that_must_ask_is_not_started_where_nobody_could_answer(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("x")) as here:
        here.person.variables["LOCUS_PERMISSIONS"] = "ask"
        refused = [here.locus(name, "Go", "--yes") for name in ("exec", "discuss")]
        asked = len(here.requests)
        allowed = here.locus("exec", "Go", "--yes", "--permissions", "allow")

    assert [said.code for said in refused] == [1, 1]
    assert "locus discuss --permissions allow" in refused[1].err or "add --permissions allow" in refused[1].err
    assert (asked, allowed.code) == (0, 0)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    person = standing(tmp_path, "command", sandbox=False)
    person.variables["LOCUS_AGENT_COMMAND"] = str(person.program("prints", "echo One"))
    (tmp_path / "state").write_text("a file")

    said = [person.locus(name, "Go", "--yes", cwd=person.home / "shop") for name in ("exec", "discuss")]

    assert [one.code for one in said] == [1, 1]
    assert all("cannot be made: Not a directory." in one.err for one in said), said


def test_what_a_program_prints_is_one_text_and_nobody_claims_that_it_remembers(tmp_path: Path) -> None:
    person = standing(tmp_path, "command", sandbox=False)
    person.program("prints", "cat > /dev/null; printf 'One\\n\\n    two\\n\\n'")
    person.variables["LOCUS_AGENT_COMMAND"] = str(person.bin / "prints")
    here = Beside(person, person.home / "shop", "command")

    plain = here.locus("exec", "Go", "--yes", "--no-stream")
    session = here.told("sessions", "list")[0]["id"]
    streamed = here.locus("exec", "-s", session, "Go", "--yes", "--json-stream")
    shown = here.told("sessions", "show", session)

    assert (plain.code, plain.out) == (0, "One\n\n    two\n")
    lines = [json.loads(line) for line in streamed.out.splitlines()]
    assert "".join(line["payload"].get("content", "") for line in lines) == "One\n\n    two"
    assert any("remembers nothing" in line["payload"].get("message", "") for line in lines)
    assert [turn["answer"] for turn in shown["turns"]] == ["One\n\n    two"] * 2


def remembered(here: Beside, word: str) -> list[str]:
    """The files below the state directory that hold a word."""
    found = []
    for place, _, names in os.walk(here.person.place / "state"):
        for name in names:
            path = Path(place, name)
            if path.is_file() and word.encode() in path.read_bytes():
                found.append(name)
    return found
