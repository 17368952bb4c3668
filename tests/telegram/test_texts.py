"""What is sent: whole markup of a length that Telegram takes, no secret, news when a chat wants them."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tests.support.telegram_markup import parsed

from locus.telegram.acts.agent import STAYS, without_code
from locus.telegram.buttons import Buttons
from locus.telegram.grammar import Delivery, Notice, Order
from locus.telegram.markup import LONGEST, Block, Line, bold, code, length, link, pages, plain, prose, tail
from locus.telegram.news import Wishes, within
from locus.telegram.outbox import Outbox
from locus.telegram.presses import No, Press, Run
from locus.telegram.redact import GONE, Redactor
from locus.telegram.store import Store

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=300)
LINES = st.lists(
    st.one_of(
        st.builds(plain, ANY),
        st.builds(bold, ANY),
        st.builds(code, ANY),
        st.builds(link, ANY, st.one_of(ANY, st.just("https://example.org/a?b=1&c=<2>"))),
        st.builds(Block, st.text(max_size=9000)),
        st.builds(lambda text, times: Block(text * times), st.sampled_from(["&<>\n", "𝔘&", "x"]), st.integers(0, 6000)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(LINES)
def test_every_page_is_short_enough_and_its_markup_whole(lines: list[Line]) -> None:
    for page in pages(lines):
        assert 0 < length(page) <= LONGEST
        parsed(page.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


@settings(deadline=None)
@given(st.text("aB3ß𝔘&<>\"' \n", max_size=500))
def test_output_is_shown_whole_over_all_pages(text: str) -> None:
    shown = "".join(parsed(page) for page in pages([Block(text * 20)]))

    assert sorted(c for c in shown if c.isalnum()) == sorted(c for c in text * 20 if c.isalnum())


def test_words_from_elsewhere_are_words() -> None:
    assert plain("<b>&\x1b[31m\u202e") == "&lt;b&gt;&amp;\\u{202e}"
    assert link("x", "javascript:alert(1)") == "x"
    assert link("x", 'https://a/"><b>') == "x"
    assert tail("one\ntwo\nthree", most=8).splitlines() == ["…", "three"]
    assert prose("a\n<i>") == ["a", "&lt;i&gt;"]


SECRETS = (
    "lcs_" + "a1B2c3D4e5" * 4,
    "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx",
    "ghp_" + "a1B2c3D4e5" * 4,
    "github_pat_" + "a1B2c3D4e5" * 4,
    "sk-ant-api03-" + "a1B2c3D4e5" * 4,
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "xoxb-1234567890-abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "key={} and more", "<code>{}</code>", "https://x/?t={}&amp;y", "({})"])
def test_keys_of_known_forms_are_taken_out_and_markup_stays(secret: str, around: str) -> None:
    said = Redactor()(around.format(secret))

    assert secret[8:] not in said
    assert GONE in said
    assert said.count("<code>") == said.count("</code>") == around.count("<code>")


def test_known_secrets_and_named_values_are_taken_out_and_commits_stay() -> None:
    redact = Redactor(["my own words", "short"])

    assert redact("my own words, short") == f"{GONE}, short"
    assert "hunter2hunter2" not in redact("password = hunter2hunter2")
    assert redact("https://ada:pa55word@example.org") == f"https://{GONE}@example.org"
    assert (
        redact("commit d18df8e0a1b2c3d4e5f60718293a4b5c6d7e8f90") == "commit d18df8e0a1b2c3d4e5f60718293a4b5c6d7e8f90"
    )


def test_blocks_of_code_stay_on_the_machine() -> None:
    assert without_code("So:\n```python\nsecret()\n```\nDone\n~~~\nopen") == f"So:\n{STAYS}\nDone\n{STAYS}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "bot.sqlite3")


def test_a_press_counts_once_for_its_person_and_in_its_time(store: Store) -> None:
    clock = [1000.0]
    buttons = Buttons(store, now=lambda: clock[0])
    yes = buttons.make("Yes", 7, No(), lasts=60.0)
    often: Press = Run(Order(verb="task", key="WEB-1"), "shop")
    opens = buttons.make("Open", 7, often, once=False)
    late = buttons.make("Late", 7, No(), lasts=60.0)

    assert len(yes.token.encode()) <= 64
    assert buttons.take(yes.token, 8) is None
    assert buttons.take(yes.token, 7) == No()
    assert buttons.take(yes.token, 7) is None
    assert [buttons.take(opens.token, 7), buttons.take(opens.token, 7)] == [often, often]
    assert buttons.take("b" + "x" * 16, 7) is None
    clock[0] += 60.0
    assert buttons.take(late.token, 7) is None


async def test_a_message_is_queued_once_by_its_name_and_an_edit_takes_the_place_of_the_last(store: Store) -> None:
    outbox = Outbox(store, Redactor())
    outbox.say(7, "one", once="a")
    outbox.say(7, "one", once="a")
    for text in ("first", "second", "third"):
        outbox.show(7, "job:1", text)

    bodies = [row["body"] for row in store.db.execute("SELECT body FROM outbox ORDER BY id")]
    assert len(bodies) == 2
    assert "third" in bodies[1]


def test_quiet_hours_go_over_midnight() -> None:
    def at(clock: str) -> bool:
        return within("22:00-07:00", datetime.fromisoformat(f"2026-05-01T{clock}+00:00"))

    assert [at("21:59"), at("22:00"), at("03:00"), at("06:59"), at("07:00")] == [False, True, True, True, False]
    assert not within("09:00-17:00", datetime.fromisoformat("2026-05-01T17:00+00:00"))


def test_a_chat_says_itself_how_it_wants_its_news(store: Store) -> None:
    wishes = Wishes(store, 7)
    assert wishes.delivery(Notice.REVIEW) is Delivery.ON
    wishes.deliver(Notice.REVIEW, Delivery.DIGEST)
    wishes.mute_until(2000.0)

    assert wishes.delivery(Notice.REVIEW) is Delivery.DIGEST
    assert wishes.holds(1999.0)
    assert not wishes.holds(2000.0)
    assert Wishes(store, 8).delivery(Notice.REVIEW) is Delivery.ON


def test_a_digest_comes_at_the_hour_that_the_chat_has_chosen(store: Store) -> None:
    wishes = Wishes(store, 7)
    assert wishes.digest_at == "18:00"
    wishes.set_digest_at("08:30")

    assert wishes.digest_at == "08:30"
    assert Wishes(store, 8).digest_at == "18:00"
