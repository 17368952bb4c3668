"""The list of everything that can cross."""

import json
from pathlib import Path

import msgspec
import pytest

from locus.wire import base, catalogue
from locus.wire.base import Request

WRITTEN = Path(__file__).parents[2] / "docs" / "wire.json"


def test_the_written_list_is_what_can_really_cross() -> None:
    assert catalogue.text() == WRITTEN.read_text(), "run: python -m locus.wire.catalogue > docs/wire.json"


def test_every_field_of_every_message_is_in_the_list() -> None:
    listed = {(entry["type"], entry["field"]) for entry in json.loads(WRITTEN.read_text())}

    existing = {
        (kind.__name__, field.encode_name) for kind in catalogue.messages() for field in msgspec.structs.fields(kind)
    }
    assert listed == existing
    assert ("TaskDraft", "title") in listed


def test_no_text_of_a_machine_is_without_a_limit() -> None:
    unlimited = [
        (entry["type"], entry["field"])
        for entry in json.loads(WRITTEN.read_text())
        if entry["sent_by"] == "machine"
        if "string" in entry["value"] and not {"maxLength", "enum", "format"} & set(entry.get("each", entry))
    ]

    assert unlimited == []


@pytest.mark.parametrize("kind", catalogue.messages())
def test_every_message_can_be_read(kind: type[msgspec.Struct]) -> None:
    # A union that no decoder can tell apart only shows when a decoder is made.
    msgspec.json.Decoder(kind)


@pytest.mark.parametrize("kind", [kind for kind in catalogue.messages() if issubclass(kind, Request)])
def test_a_request_refuses_fields_that_it_does_not_know(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"a_field_that_is_not_there": 1}', type=kind)


def test_the_base_types_are_in_the_right_kinds() -> None:
    senders = {entry["type"]: entry["sent_by"] for entry in catalogue.catalogue()}

    assert senders["Completion"] == "machine"
    assert senders["Task"] == "server"
    assert issubclass(base.Request, msgspec.Struct)
