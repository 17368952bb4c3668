"""What a recording does not keep: secrets of the environment, whatever has the form of one, and where it was made."""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from locus.local.evidence.secrets import found_in

SECRET_NAMES = ("*KEY*", "*TOKEN*", "*SECRET*", "*PASSWORD*", "*PASSWD*", "*CREDENTIAL*")
SHORTEST = 6  # characters; a shorter value would be found in words that mean something else
REDACTED = "[redacted]"
WORD = r"[\w./+=~-]*"


class Redaction:
    """Takes secrets out of texts; `places` are paths and what stands for them."""

    def __init__(self, environment: Mapping[str, str], places: Mapping[str, str]) -> None:
        secrets = {
            value
            for name, value in environment.items()
            if len(value) >= SHORTEST and any(fnmatchcase(name.upper(), pattern) for pattern in SECRET_NAMES)
        }
        # The longest first: one may be a part of another.
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._places = sorted(((path, name) for path, name in places.items() if len(path) > 1), key=_longest)

    def line(self, text: str) -> str:
        """A line that an agent printed, without secrets and places."""
        text = self.content(text)
        for path, name in self._places:
            text = text.replace(path, name)
        return text

    def content(self, text: str) -> str:
        """The text of a file, without secrets."""
        for secret in self._secrets:
            for form in {secret, json.dumps(secret)[1:-1]}:
                text = text.replace(form, REDACTED)
        for found in found_in(text):
            # Some detectors name a part of what they have found, such as its beginning.
            text = re.sub(f"{WORD}{re.escape(found)}{WORD}", REDACTED, text)
        return text


def _longest(place: tuple[str, str]) -> int:
    return -len(place[0])
