"""The form of an API key."""

import re

from hypothesis import given, strategies as st

from locus.server.auth import secrets


def test_a_new_key_has_the_published_form_and_is_never_the_same() -> None:
    made = {secrets.new_secret() for _ in range(200)}

    assert len(made) == 200
    for secret in made:
        assert re.fullmatch(r"lcs_[0-9A-Za-z]{36}", secret)
        assert secrets.is_key(secret)


def test_the_checksum_is_crc32_in_base62() -> None:
    # The CRC32 of thirty zeros, as any other program computes it.
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in secrets.checksum("0" * 30):
        number = number * 62 + digits.index(letter)

    assert number == 2011552642


@given(st.integers(4, 39), st.sampled_from(secrets.ALPHABET))
def test_one_wrong_character_is_always_noticed(place: int, letter: str) -> None:
    secret = secrets.new_secret()
    changed = secret[:place] + letter + secret[place + 1 :]

    assert secrets.is_key(changed) == (changed == secret)


@given(st.text(max_size=60))
def test_no_text_that_is_not_a_key_passes_or_breaks_it(text: str) -> None:
    assert not secrets.is_key(text)
    assert not secrets.is_key("lcs_" + text[:36].ljust(36, "é"))


def test_the_hint_shows_the_beginning_only() -> None:
    secret = secrets.new_secret()

    assert secrets.hint(secret) == secret[:10]
    assert len(secrets.hashed(secret)) == 32
