"""What a decoder says is said to people in their words."""

from typing import Any

import msgspec
import pytest

from locus.server.http.wording import refusal
from locus.wire.agents import Heartbeat
from locus.wire.tasks import TaskDraft, TaskEdit
from locus.wire.work import Release


@pytest.mark.parametrize(
    ("kind", "sent", "field", "message"),
    [
        (TaskDraft, {}, "title", "is required"),
        (TaskDraft, {"title": "t", "checklist": [{"text": "a"}, {}]}, "checklist.1.text", "is required"),
        (TaskDraft, {"title": "t", "checklist": [{"text": ""}]}, "checklist.0.text", "must not be empty"),
        (TaskDraft, {"title": "t", "checklist": [{"text": "a", "x": 1}]}, "checklist.0.x",
         "is not a field that is known here"),
        (TaskDraft, {"title": "t", "checklist": [{"text": "\0"}]}, "checklist.0.text",
         "must not contain the character NUL"),
        (TaskDraft, {"title": "t", "labels": ["a"] * 21}, "labels", "must have at most 20 entries"),
        (TaskDraft, {"title": "t", "labels": ["a" * 51]}, "labels.0", "must have at most 50 characters"),
        (TaskDraft, {"title": "t", "labels": "a"}, "labels", "must be a list, not text"),
        (TaskDraft, {"title": "t", "depends_on": ["a"]}, "depends_on.0", "must be an id (UUID)"),
        (TaskDraft, {"title": "t", "due_on": "tomorrow"}, "due_on", "must be a date like 2026-01-31"),
        (TaskDraft, {"title": "t", "priority": "URGENT"}, "priority", "must be one of CRITICAL, HIGH, MEDIUM, LOW"),
        (TaskEdit, {"role": "CHEF"}, "role", "must be one of BACKEND, FRONTEND, QA, PM, DESIGN"),
        (TaskEdit, {"parent_id": 5}, "parent_id", "must be an id (UUID) or null, not a whole number"),
        (Release, {"fence": 0, "reason": "stopped"}, "fence", "must be at least 1"),
        (Release, {"fence": 1.5, "reason": "stopped"}, "fence", "must be a whole number, not a number"),
        (Heartbeat, {"state": "idle", "parked_until": "2026-01-01T00:00:00"}, "parked_until",
         "must be a time like 2026-01-31T12:00:00Z"),
    ],
)  # fmt: skip
def test_the_field_is_named_as_it_was_sent_and_the_fault_in_plain_words(
    kind: type, sent: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(sent), type=kind)

    refused = refusal(caught.value, kind)
    assert [(one.field, one.message) for one in refused.errors] == [(field, message)]
    assert refused.detail == f"{field} {message}."


def test_a_field_name_of_any_length_is_cut() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode({"title": "t", "x" * 5000: 1}), type=TaskDraft)

    (error,) = refusal(caught.value, TaskDraft).errors
    assert len(error.field) == 100
