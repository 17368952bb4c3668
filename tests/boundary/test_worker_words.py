"""Nothing that a worker's key may send has room for prose, code or a path: a table over the types of its requests."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.server.test_authorization import MATRIX, OPERATIONS

from locus.server.http.requests import body_type
from locus.wire.docs import DocDraft
from locus.wire.workspaces import Purpose

# What an agent, a tool or a file might say. No field of a worker's requests may accept any of it.
PROSE = (
    "I refactored the parser",
    "two words",
    "a\nb",
    "    return amount * 2",
    "def total(rows):",
    "TOKEN=abcdef0123456789",
    "/home/ada/shop/billing.py",
    "C:\\Users\\ada",
    "Traceback (most recent call last):",
    "überrascht",
    "",
)
# What looks like a name is accepted where names stand; which names may stand there, and who makes them.
NAMES = {
    ("AgentRegistration", "name"): "the provider's name and four random digits; [a-z0-9-], 40 characters",
    ("AgentRegistration", "model"): "what the person set; no blanks, 80 characters",
    ("AgentRegistration", "locus_version"): "ours; no blanks, 40 characters",
    ("AgentRegistration", "provider_version"): "what the agent's --version says; no blanks, 40 characters",
    ("Numbers", "model"): "what the agent's stream names; no blanks, 80 characters",
    ("Evidence", "check"): "the name of a check in .locus/config.toml; [a-z0-9_.-], 50 characters",
    ("Completion", "branch"): "ours: locus/ and [a-z0-9-], 100 characters",
    ("Completion", "pull_request_url"): "the forge's; 300 characters",
    ("PullRequestLink", "url"): "the forge's; 300 characters",
    ("PullRequestLink", "branch"): "ours: locus/ and [a-z0-9-], 100 characters",
}
# The one field for words of the agent, and the two of its lines above that it takes. The server refuses it unless the
# workspace has asked for summaries; what is in them is the machine's to see to.
OPT_IN = {
    ("Completion", "summary"): {
        "I refactored the parser",
        "two words",
        "def total(rows):",
        "überrascht",
        "Traceback (most recent call last):",
    }
}
PLACES = ("billing/parser.py", "ada@laptop")
HOLD_A_PLACE = {("AgentRegistration", "model"), ("Numbers", "model")}  # vendor/model@date
SHA = "a" * 40
GOOD: dict[str, dict[str, Any]] = {
    "AgentRegistration": MATRIX["register_agent"].body,  # type: ignore[dict-item]
    "Claim": MATRIX["claim_task"].body,  # type: ignore[dict-item]
    "Renewal": MATRIX["renew_lease"].body,  # type: ignore[dict-item]
    "Completion": MATRIX["complete_task"].body,  # type: ignore[dict-item]
    "Failure": MATRIX["fail_task"].body,  # type: ignore[dict-item]
    "Release": MATRIX["release_task"].body,  # type: ignore[dict-item]
    "Heartbeat": MATRIX["agent_heartbeat"].body,  # type: ignore[dict-item]
    "PullRequestLink": MATRIX["link_pull_request"].body,  # type: ignore[dict-item]
    "LeaseBeat": {"task_id": str(UUID(int=1)), "fence": 1, "phase": "agent"},
    "Numbers": {"provider": "command"},
    "Evidence": {
        "check": "unit",
        "passed": True,
        "exit_code": 0,
        "duration_ms": 1,
        "output_sha256": "a" * 64,
        "commit": SHA,
    },
}


def requests() -> dict[str, type[msgspec.Struct]]:
    """The body of every operation that a worker's key is enough for, and the types within, by name."""
    allowed = (Purpose.READ, Purpose.WORKER)
    found: dict[str, type[msgspec.Struct]] = {}

    def take(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__name__ not in found:
            found[kind.__name__] = kind
            for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
                walk(field.type)

    def walk(info: Any) -> None:
        if isinstance(info, msgspec.inspect.StructType):
            take(info.cls)
        for part in ("item_type", "types"):
            inner = getattr(info, part, None)
            for one in inner if isinstance(inner, tuple) else (inner,) if inner is not None else ():
                walk(one)

    for one in OPERATIONS:
        row = MATRIX[one.id]
        if row.public or row.role is not None or row.needs not in (None, *allowed):  # a role is a person's
            continue
        take(body_type(one.handler))
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Every field, by type and name, that takes a string."""
    for name, kind in requests().items():
        _, components = msgspec.json.schema_components([kind])
        for field, schema in components[name]["properties"].items():
            kinds = [schema, *schema.get("anyOf", []), schema.get("items", {})]
            if any(one.get("type") == "string" for one in kinds) or any(
                components[one["$ref"].rsplit("/", 1)[-1]].get("enum") for one in kinds if "$ref" in one
            ):
                yield name, field


def accepts(kind: str, field: str, value: Any) -> bool:
    """Whether a good message of this kind stays good when a field has this value."""
    try:
        msgspec.json.decode(json.dumps({**GOOD[kind], field: value}), type=requests()[kind])
    except msgspec.ValidationError:
        return False
    return True


def test_the_table_covers_every_request_of_a_worker() -> None:
    assert set(requests()) == set(GOOD)
    for kind, body in GOOD.items():
        msgspec.json.decode(json.dumps(body), type=requests()[kind])


@pytest.mark.parametrize(("kind", "field"), list(texts()))
def test_no_field_of_a_worker_takes_prose_code_or_a_path_of_the_machine(kind: str, field: str) -> None:
    taken = [words for words in PROSE if accepts(kind, field, words) or accepts(kind, field, [words])]

    assert set(taken) == OPT_IN.get((kind, field), set())


def test_exactly_one_field_is_for_words_of_the_agent_and_only_for_a_line_of_500_characters() -> None:
    assert set(OPT_IN) == {("Completion", "summary")}
    assert set(OPT_IN) <= set(texts())
    [(kind, field)] = OPT_IN
    assert accepts(kind, field, "x" * 500)
    for words in (
        "x" * 501,
        "a\nb",
        "It is `code`.",
        "In src/parser.py.",
        "a = b",
        "{}",
        "a_b",
        "\x1b[0m",
        "a\u200bb",
        "%41",
    ):
        assert not accepts(kind, field, words), words


@pytest.mark.parametrize(("kind", "field"), list(texts()))
def test_a_field_that_takes_a_word_of_its_own_choice_is_in_the_table(kind: str, field: str) -> None:
    words = ("word", "locus/word", "https://example.org/a", "1.0", "zzz")

    assert any(accepts(kind, field, word) for word in words) == ((kind, field) in NAMES or (kind, field) in OPT_IN)
    assert any(accepts(kind, field, place) for place in PLACES) == ((kind, field) in HOLD_A_PLACE)


@pytest.mark.parametrize(("kind", "field"), list(NAMES))
def test_the_length_of_a_name_is_what_the_table_says(kind: str, field: str) -> None:
    limit = int(re.findall(r"(\d+) characters", NAMES[kind, field])[0])
    start = "https://example.org/" if "url" in field else "locus/" if field == "branch" else ""

    assert accepts(kind, field, start + "x" * (limit - len(start)))
    assert not accepts(kind, field, start + "x" * (limit + 1 - len(start)))


def test_a_field_for_prose_would_be_noticed() -> None:
    assert not accepts("Failure", "summary", "I refactored the parser")
    assert accepts("Completion", "summary", "I refactored the parser")
    assert len(list(texts())) > 15
    assert msgspec.json.decode(b'{"title": "I refactored the parser"}', type=DocDraft).title in PROSE


def test_the_names_that_a_worker_may_choose_are_in_the_trust_statement() -> None:
    page = (Path(__file__).parents[2] / "docs" / "trust.md").read_text()

    missing = [f"`{kind}.{field}`" for kind, field in NAMES if f"`{kind}.{field}`" not in page]
    assert missing == []
