"""Which addresses a key may be sent to."""

import pytest

from locus.client.address import parse
from locus.client.errors import BadAddress


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://locus.example.org", "https://locus.example.org"),
        ("https://Locus.Example.org:8443/", "https://locus.example.org:8443"),
        ("https://example.org/locus/", "https://example.org/locus"),
        ("http://127.0.0.1:4700", "http://127.0.0.1:4700"),
        ("http://localhost:4700", "http://localhost:4700"),
        ("http://[::1]:4700", "http://[::1]:4700"),
    ],
)
def test_encrypted_addresses_and_those_of_this_machine_are_used(given: str, used: str) -> None:
    assert parse(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "http://example.org",
        "http://192.168.1.5:4700",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://0.0.0.0:4700",
        "http://user@127.0.0.1:4700",
        "https://user:secret@example.org",
        "https://example.org?key=1",
        "https://example.org#x",
        "ftp://example.org",
        "example.org",
        "https://",
        "https://exa mple.org",
        "https://example.org:port",
        "http://[::1",
        "",
    ],
)
def test_every_other_address_is_refused(given: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse(given)

    assert "secret" not in refused.value.message
