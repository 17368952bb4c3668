"""Secrets that a change would commit: found in its added lines, told by file and line, never by what they say.

The detectors are those of detect-secrets that know a form; what only looks random is left out, since every hash and
every fixture does. None of them asks anybody whether a secret is valid.
"""

import hashlib
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from locus.local.evidence.protected import touched
from locus.local.git.lines import FileLines
from locus.local.known_files import TEST_FILES

BASELINE = ".secrets.baseline"  # as detect-secrets writes it: secrets that the project knows of and accepts
LONGEST_LINE = 5_000  # characters that are looked at; what is longer was made by a program
BY_FORM = (
    *(
        "ArtifactoryDetector",
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "CloudantDetector",
        "DiscordBotTokenDetector",
    ),
    *("GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector", "IbmCosHmacDetector", "JwtTokenDetector"),
    *("MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector"),
    *("SendGridDetector", "SlackDetector", "SoftlayerDetector", "SquareOAuthDetector", "StripeDetector"),
    *("TelegramBotTokenDetector", "TwilioKeyDetector"),
)
BY_NAME = "KeywordDetector"  # a value that is called password, token and the like
BY_ADDRESS = "BasicAuthDetector"  # a password in a URL
OURS = "Locus API key"

_KEY = re.compile(r"\blcs_([0-9A-Za-z]{30})([0-9A-Za-z]{6})\b")
_NOWHERE = re.compile(
    r"@(?:localhost|127\.|\[?::1|host\b|example\.|[\w.-]+\.(?:example|test|invalid|localhost)\b|[<${])"
)
_PLACEHOLDER = re.compile(r"(?i)^(?:[<{$%].*|.*(?:example|changeme|placeholder|dummy|your[-_]?|x{4,}|\*{3,}).*)$")
LEAST_BITS = 3.5  # per character; English words have less
LEAST_LENGTH = 20  # characters of a value that is judged by its looks
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Finding(Struct, frozen=True):
    """Where a secret is, and of what kind it seems."""

    path: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.kind})"


def scan(files: Iterable[FileLines], *, baseline: str | None = None) -> list[Finding]:
    """The secrets in the lines that a change adds.

    A line that it only moves counts as unchanged, with whatever remark it carries. `baseline` is the project's own
    list of accepted secrets, from before the change; a list that cannot be read accepts nothing.
    """
    changed = list(files)
    before = {line.strip() for file in changed for line in file.removed}
    accepted = _accepted(baseline)
    tests = {*touched([file.path for file in changed], TEST_FILES)}
    found: list[Finding] = []
    with _detectors() as detectors:
        for file in changed:
            in_tests = file.path in tests
            for number, line in file.added:
                if not line.strip() or line.strip() in before:
                    continue
                for kind, secret in _secrets(detectors, file.path, line[:LONGEST_LINE], in_tests=in_tests):
                    digest = hashlib.sha1(secret.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
                    if (file.path, digest) not in accepted:
                        found.append(Finding(file.path, number, kind))
    return list(dict.fromkeys(found))


def found_in(text: str) -> list[str]:
    """Every value in a text that has the form of a secret."""
    with _detectors() as detectors:
        found = [
            value
            for line in text.splitlines()
            for _, value in _secrets(detectors, "", line[:LONGEST_LINE], in_tests=False)
        ]
    return sorted({value for value in found if value}, key=len, reverse=True)


def is_key(body: str, check: str) -> bool:
    """Whether the six characters are the checksum of an API key's random part."""
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(6):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits == check


def _secrets(detectors: list[Any], path: str, line: str, *, in_tests: bool) -> Iterator[tuple[str, str]]:
    for body, check in _KEY.findall(line):
        if is_key(body, check):
            yield OURS, f"lcs_{body}{check}"
    for detector in detectors:
        name = type(detector).__name__
        if name == BY_NAME and in_tests:
            continue
        for secret in detector.analyze_line(filename=path, line=line, line_number=0):
            value = secret.secret_value or ""
            if _PLACEHOLDER.match(value):
                continue
            if name == BY_NAME and not _looks_random(value):
                continue
            if name == BY_ADDRESS and _NOWHERE.search(line):
                continue
            yield secret.type, value


def _looks_random(value: str) -> bool:
    if len(value) < LEAST_LENGTH or not re.fullmatch(r"[A-Za-z0-9+/=_.~-]+", value):
        return False
    if not (re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value)):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= LEAST_BITS


def _accepted(baseline: str | None) -> set[tuple[str, str]]:
    try:
        results = json.loads(baseline or "{}").get("results", {})
        return {(path, entry["hashed_secret"]) for path, entries in results.items() for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError):
        return set()


@contextmanager
def _detectors() -> Iterator[list[Any]]:
    """The detectors, under settings by which none of them opens a connection."""
    # Here, because it takes a quarter of a second, and only a change needs it.
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.settings import transient_settings

    wanted = {*BY_FORM, BY_NAME, BY_ADDRESS}
    with transient_settings({"plugins_used": [], "filters_used": []}) as settings:
        settings.disable_filters("detect_secrets.filters.common.is_ignored_due_to_verification_policies")
        classes: Mapping[str, Any] = get_mapping_from_secret_type_to_class()
        yield [made() for made in classes.values() if made.__name__ in wanted]
