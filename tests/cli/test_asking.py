"""What a terminal shows of an agent's question: all that can be decided about, and nothing that deceives."""

from locus.cli.run.asking import answer_line, question_lines
from locus.local.permissions.desk import Answer, Question
from locus.local.providers.asking import Verdict


def question(what: str, **fields: object) -> Question:
    return Question(id="1", root="/", key="WEB-1", tool="Bash", what=what, asked=0.0, until=60.0, **fields)  # type: ignore[arg-type]


def test_what_an_agent_says_of_itself_cannot_draw_on_the_terminal() -> None:
    lines = question_lines(question("ls\x1b[2J\rrm -rf /\u202e", scope=("Bash(\x1b]0;x\x07)",), for_run=True))

    assert not any(character in "".join(lines) for character in "\x1b\r\x07\u202e")
    assert "rm -rf /" in lines[0]


def test_what_is_too_long_to_be_read_says_so() -> None:
    lines = question_lines(question("\n".join(str(number) for number in range(100))))

    assert any("60 more lines are not shown" in line for line in lines)


def test_a_yes_for_the_run_is_offered_only_where_it_means_something() -> None:
    assert not any("for this run" in line for line in question_lines(question("ls")))
    assert any("edits below /x" in line for line in question_lines(question("ls", folders=("/x",), for_run=True)))


def test_an_answer_says_who_gave_it() -> None:
    assert answer_line(question("ls"), Answer(verdict=Verdict.NO, by="nobody")) == "denied: nobody answered in time"
    assert answer_line(question("ls"), Answer(verdict=Verdict.ONCE, by="Ada")) == "allowed once by Ada"
