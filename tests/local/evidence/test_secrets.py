"""Secrets in a change: which are found, which are not taken for one, and what accepts one."""

import hashlib
import json
import subprocess
import sys
import time
import zlib

import pytest

from locus.local.evidence import secrets
from locus.local.git.lines import FileLines

# Put together here, so that no file of this repository holds anything that looks like a secret.
BODY = "4fTzQ8yLm2Nc7RwXv0KjHb5Dg9SpEa"
AWS = "AKIA" + "QX7LZ3MNPT5RWU2V"
GITHUB = "ghp_" + "a8Kd93jfLs02mQpZ7vXcB4nT6yUw1eRg5hIo"
SLACK = "xoxb-" + "123456789012-123456789012-a8Kd93jfLs02mQpZ7vXcB4nT"
STRIPE = "sk_live_" + "a8Kd93jfLs02mQpZ7vXcB4nT"
PEM = "-----BEGIN " + "RSA PRIVATE KEY-----"
RANDOM = "a8Kd93jfLs02mQpZ7vXcB4nT6y"


def real_key() -> str:
    number, digits = zlib.crc32(BODY.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = secrets.DIGITS[digit] + digits
    return f"lcs_{BODY}{digits}"


def change(*lines: str, path: str = "src/app.py", removed: tuple[str, ...] = ()) -> FileLines:
    return FileLines(path, added=list(enumerate(lines, start=10)), removed=list(removed))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f'key = "{AWS}"', "AWS Access Key"),
        (f"token: {GITHUB}", "GitHub Token"),
        (f'slack("{SLACK}")', "Slack Token"),
        (f"STRIPE={STRIPE}", "Stripe Access Key"),
        (PEM, "Private Key"),
        (f'password = "{RANDOM}"', "Secret Keyword"),
        ("https://ada:correct-horse" + "@db.internal.acme.com/x", "Basic Auth Credentials"),
    ],
)
def test_a_secret_in_an_added_line_is_found_with_its_place(line: str, kind: str) -> None:
    found = secrets.scan([change("nothing here", line)])

    assert [(one.path, one.line, one.kind) for one in found] == [("src/app.py", 11, kind)]


def test_a_key_of_ours_is_found_by_its_checksum_and_what_only_looks_like_one_is_none() -> None:
    typo = real_key()[:-1] + ("0" if real_key()[-1] != "0" else "1")

    assert [one.kind for one in secrets.scan([change(f"x {real_key()} y")])] == [secrets.OURS]
    assert secrets.scan([change(f"x {typo} y")]) == []


def test_a_finding_never_says_the_secret() -> None:
    [found] = secrets.scan([change(f'key = "{AWS}"')])

    assert AWS not in str(found)
    assert AWS not in repr(found)


@pytest.mark.parametrize(
    "line",
    [
        'password = "secret"',
        'password = os.environ["PASSWORD"]',
        "token = request.headers.get('Authorization')",
        "postgres://locus:locus@localhost:5432/locus",
        "https://user:password@example.com/",
        'api_key = "your-api-key-goes-right-here-0001"',
        "sha256 = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        '"integrity": "sha512-dLuJvJ1k7pVn4wXyOYhxkYwP2q3m0l8x7Z6Y5c4b3a2d1e0fAbCdEfGhIjKlMnOp=="',
    ],
)
def test_ordinary_lines_are_not_taken_for_secrets(line: str) -> None:
    assert secrets.scan([change(line)]) == []


def test_a_made_up_password_in_a_test_is_ordinary_and_a_key_of_a_known_form_is_not() -> None:
    lines = (f'password = "{RANDOM}"', f'key = "{AWS}"')

    assert [one.kind for one in secrets.scan([change(*lines, path="tests/test_login.py")])] == ["AWS Access Key"]


def test_a_line_that_is_only_moved_is_not_new() -> None:
    line = f'key = "{AWS}"  # pragma: allowlist secret'

    assert secrets.scan([change(f"    {line}"), change(path="src/old.py", removed=(line,))]) == []


def test_a_remark_that_comes_with_the_secret_allows_nothing() -> None:
    assert len(secrets.scan([change(f'key = "{AWS}"  # pragma: allowlist secret')])) == 1


def test_the_projects_own_list_accepts_a_secret_in_its_file_only() -> None:
    digest = hashlib.sha1(AWS.encode()).hexdigest()
    baseline = json.dumps({"results": {"src/app.py": [{"hashed_secret": digest, "type": "AWS Access Key"}]}})

    assert secrets.scan([change(f'key = "{AWS}"')], baseline=baseline) == []
    assert len(secrets.scan([change(f'key = "{AWS}"', path="src/other.py")], baseline=baseline)) == 1


@pytest.mark.parametrize("baseline", ["", "[]", "{", '{"results": 3}', '{"results": {"a": [{}]}}'])
def test_a_list_that_cannot_be_read_accepts_nothing(baseline: str) -> None:
    assert len(secrets.scan([change(f'key = "{AWS}"')], baseline=baseline)) == 1


def test_a_very_long_line_does_not_take_long() -> None:
    began = time.monotonic()

    secrets.scan([change("a" * 1_000_000, '"' + "A1b2" * 100_000 + '"')])

    assert time.monotonic() - began < 10


def test_nobody_is_asked_whether_a_secret_is_valid() -> None:
    lines = [f'key = "{AWS}"', GITHUB, SLACK, STRIPE, f"secret_key = {RANDOM}{RANDOM[:14]}"]
    program = (
        "import sys\n"
        "asked = []\n"
        "sys.addaudithook(lambda event, _: asked.append(event) if event.startswith('socket.') else None)\n"
        "from locus.local.evidence import secrets\n"
        "from locus.local.git.lines import FileLines\n"
        f"found = secrets.scan([FileLines('a.py', added=list(enumerate({lines!r})))])\n"
        "assert len(found) >= 4, found\n"
        "assert not {'socket.connect', 'socket.getaddrinfo'} & set(asked), asked\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
