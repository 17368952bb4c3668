"""No message becomes an option: every argv that can come of one is in a finite set, whatever somebody types."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from locus.local.git import glance
from locus.local.git.trouble import GitError
from locus.telegram.acts import plans, prompt, reviews, work
from locus.telegram.acts.table import HANDLERS
from locus.telegram.commands import COMMANDS
from locus.telegram.grammar import MOST_SHOWN, Order, Refused, parse

ROOT = Path("/home/ada/shop")
PROBES = [
    "--mirror",
    "-fA",
    "--all",
    "--prune",
    "--force",
    "-f",
    "--hard",
    "--delete",
    "-D",
    "--no-verify",
    "--force-with-lease",
    "-n1",
    "--upload-pack=evil",
    "--receive-pack=evil",
    "--exec=evil",
    "-c",
    "core.fsmonitor=evil",
    "--output=/etc/passwd",
    "--no-index",
    "--ext-diff",
    "--textconv",
    "--",
    "—",
    "–",
    "—force",
    "-—mirror",
    "﹣f",
    "－f",
    "‐‐all",
    "@{-1}",
    "HEAD..x",
    "refs/heads/x:refs/heads/y",
    "+main",
    ":main",
    "origin/main",
    ".",
    "*",
    ":(exclude)x",
    ":/",
    "../..",
    "~",
    "$(id)",
    "`id`",
    ";id",
    "|id",
    "&&id",
    "%0aid",
    "\\n--mirror",
    "$IFS--mirror",
    '"--mirror"',
    "'--mirror'",
    "{--mirror,x}",
    "--sprint=1",
    "--yes",
    "--no-sandbox",
    "--in-place",
    "-C/tmp",
    "--server=http://evil",
    "--config=x",
    "1;-1",
    "0x1",
    "1e3",
    "١",
    "²",
    "1_000",
    "+1",
    "00",
    "1.0",
    "true",
    "null",
    "None",
]
SAFE = re.compile(r"--sprint=[1-9][0-9]{0,8}")


def order(text: str) -> Order | None:
    return parse(text, COMMANDS, bot="locus_test_bot")


def argv_of(said: Order) -> list[str] | None:
    """The command line that an order leads to, for those that start a program."""
    if said.verb == "run":
        return work.run_command(ROOT, said.number)
    if said.verb == "plan":
        return work.locus(ROOT, *plans.plan_arguments())
    if said.verb == "exec":
        return work.locus(ROOT, *prompt.exec_arguments())
    if said.verb == "discuss":
        return work.locus(ROOT, *prompt.discuss_arguments(said.word))
    if said.verb == "review":
        return work.locus(ROOT, *reviews.review_arguments(said.number))
    if said.verb == "iterate":
        return work.locus(ROOT, *reviews.iterate_arguments(said.number, said.key))
    if said.verb in ("approve", "reject", "cancel") and said.number is not None:
        return work.locus(ROOT, *BY_NUMBER[said.verb](said.number))
    if said.verb == "git" and said.word != "push":
        return glance.look_command(str(said.word), count=said.number or 10)
    return None


BY_NUMBER = {
    "approve": plans.approve_arguments,
    "reject": plans.reject_arguments,
    "cancel": plans.cancel_arguments,
}


def check_finite(said: Order) -> None:
    argv = argv_of(said)
    if argv is None:
        return
    fixed = {tuple(glance.look_command(what)) for what in ("status", "diff", "branch")}
    fixed |= {tuple(glance.look_command("log", count=n)) for n in range(1, MOST_SHOWN + 1)}
    fixed.add(tuple(work.run_command(ROOT, None)))
    fixed |= {
        tuple(work.locus(ROOT, *arguments))
        for arguments in (
            *(plans.plan_arguments(), prompt.exec_arguments(), prompt.discuss_arguments(None)),
            *(reviews.review_arguments(None), reviews.iterate_arguments(None, None)),
        )
    }
    if said.verb in ("review", "iterate") and (said.number is not None or said.key is not None):
        alone = tuple(work.locus(ROOT, said.verb, "--json"))
        assert tuple(argv[:-1]) == alone and re.fullmatch(r"[1-9][0-9]{0,8}|[A-Z][A-Z0-9]*-[0-9]{1,9}", argv[-1]), argv
        return
    if said.verb in BY_NUMBER:
        numbered = tuple(work.locus(ROOT, *BY_NUMBER[said.verb](1)))
        assert tuple(argv[:-1]) == numbered[:-1] and re.fullmatch("[1-9][0-9]{0,8}", argv[-1]), argv
        return
    head, last = tuple(work.run_command(ROOT, None)), argv[-1]
    assert tuple(argv) in fixed or (tuple(argv[:-1]) == head and SAFE.fullmatch(last)), argv


def test_there_are_enough_probes() -> None:
    assert len(set(PROBES)) >= 48


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_option_shaped_argument_gets_into_an_argument_list(command: str) -> None:
    for probe in PROBES:
        for text in (
            f"/{command} {probe}",
            f"/{command} 1 {probe}",
            f"/{command} status {probe}",
            f"/{command}\n{probe}",
        ):
            try:
                said = order(text)
            except Refused:
                continue
            if said is not None:
                check_finite(said)
                assert said.key is None or re.fullmatch(r"[A-Z][A-Z0-9]{0,9}-[0-9]{1,9}", said.key)
                assert said.word is None or not said.word.startswith("-")


@pytest.mark.parametrize("probe", PROBES)
def test_git_and_run_take_no_option(probe: str) -> None:
    for text in (f"/git push {probe}", f"/git {probe}", f"/git log {probe}", f"/run {probe}", f"/git status {probe}"):
        with pytest.raises(Refused):
            order(text)


@pytest.mark.parametrize("branch", ["refs/heads/--mirror", "refs/heads/-f", "main", "refs/tags/v1", "refs/heads/a b"])
def test_a_push_names_one_branch_in_full_or_is_refused(branch: str) -> None:
    with pytest.raises(GitError):
        glance.push_command("origin", branch)


def test_a_push_is_never_forced_and_has_no_room_for_options() -> None:
    argv = glance.push_command("origin", "refs/heads/main")

    assert argv[argv.index("--") :] == ["--", "origin", "refs/heads/main:refs/heads/main"]
    assert "--no-force" in argv
    with pytest.raises(GitError):
        glance.push_command("--receive-pack=evil", "refs/heads/main")


WORDS = st.one_of(
    st.sampled_from([*PROBES, *COMMANDS, "status", "log", "push", "WEB-1", "12", "off"]), st.text(max_size=12)
)
MESSAGES = st.builds(
    lambda command, blank, words: f"/{command}{blank}{blank.join(words)}",
    st.one_of(st.sampled_from(sorted(COMMANDS)), st.text(max_size=8)),
    st.sampled_from([" ", "  ", "\n", "\t", "\u00a0", "\u2003", "\r", "\u2028", "\x00", "@locus_test_bot "]),
    st.lists(WORDS, max_size=4),
)


@settings(deadline=None)
@given(MESSAGES)
def test_whatever_is_typed_leads_into_the_finite_set(text: str) -> None:
    try:
        said = order(text)
    except Refused:
        return
    if said is not None:
        assert said.verb in COMMANDS
        check_finite(said)


@pytest.mark.parametrize("probe", PROBES)
def test_only_an_id_of_ours_names_a_discussion(probe: str) -> None:
    with pytest.raises(ValueError, match="made by us"):
        prompt.discuss_arguments(probe)


@pytest.mark.parametrize("probe", PROBES)
def test_only_the_key_of_a_task_is_iterated_on(probe: str) -> None:
    with pytest.raises(ValueError, match="only keys"):
        reviews.iterate_arguments(None, probe)


def test_every_command_has_a_handler_and_every_handler_a_command() -> None:
    assert set(HANDLERS) == set(COMMANDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/task web-3", Order(verb="task", key="WEB-3")),
        ("/run", Order(verb="run")),
        ("/run #4", Order(verb="run", number=4)),
        ("/run@Locus_Test_Bot active", Order(verb="run")),
        ("/run@other_bot", None),
        (
            "/rejecttask web-3 It must\nsay two — please",
            Order(verb="rejecttask", key="WEB-3", text="It must\nsay two — please"),
        ),
        ("/git", Order(verb="git", word="status")),
        ("/git diff --stat", Order(verb="git", word="diff")),
        ("/git log 5", Order(verb="git", word="log", number=5)),
        ("/tasks in-review", Order(verb="tasks", word="IN_REVIEW")),
        ("/mute 2h", Order(verb="mute", minutes=120)),
        ("/mute off", Order(verb="mute", minutes=0)),
        ("/quiet 22:00-07:00", Order(verb="quiet", word="22:00-07:00")),
        ("/notify review digest", Order(verb="notify", word="review", text="digest")),
        ("/notify at 08:30", Order(verb="notify", word="at", text="08:30")),
        ("hello", None),
    ],
)
def test_what_people_type_is_understood(text: str, expected: Order | None) -> None:
    assert order(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/nothing",
        "/task",
        "/task WEB",
        "/rejecttask WEB-3",
        "/startsprint",
        "/mute 9d",
        "/notify review maybe",
        "/notify at 24:00",
        "/notify at noon",
        "/run 1 2",
    ],
)
def test_what_is_wrong_is_refused_with_the_right_way(text: str) -> None:
    with pytest.raises(Refused) as refused:
        order(text)

    assert "/help" in str(refused.value) or "Write it as" in str(refused.value)
