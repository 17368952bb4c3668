"""Reading an issue by its address, to plan from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from locus.local.errors import Usage
from locus.local.forge.base import ForgeError, Reason
from locus.local.forge.github import GitHub, api_of, owner_and_repository
from locus.local.forge.table import Choice, checked_api
from locus.local.forge.tokens import github_token

_PATH = re.compile(r"/([^/]+/[^/]+)/(?:issues|pull)/([1-9][0-9]{0,9})/?")


class Issue(Struct, frozen=True):
    """What somebody asked for. Anybody may have written it."""

    title: str
    body: str


def is_address(text: str) -> bool:
    """Whether a text is meant as the address of something on a forge."""
    return text.startswith(("https://", "http://"))


async def read_issue(address: str, environment: Mapping[str, str], cwd: Path, choice: Choice) -> Issue:
    """Read the issue at `address`.

    Raises Usage when it is no issue of GitHub's, ForgeError when it cannot be read.
    """
    parts = urlsplit(address)
    found = _PATH.fullmatch(parts.path)
    named = owner_and_repository(found[1]) if found else None
    if found is None or named is None or not parts.hostname:
        raise Usage(
            f"{address} is not the address of an issue.",
            remedy="It looks like https://github.com/owner/repository/issues/12, or give a file.",
        )
    api = choice.api or api_of(parts.hostname)
    trusted = choice.api is not None or choice.kind is not None
    token = await github_token(parts.hostname, environment, cwd=cwd, trusted=trusted)
    try:
        title, body = await GitHub(checked_api(api), *named, token=token).issue(int(found[2]))
    except ForgeError as e:
        if e.reason not in (Reason.NOT_FOUND, Reason.FORBIDDEN):
            raise
        raise ForgeError(
            f"There is no {address} that the token may read.",
            reason=e.reason,
            remedy="Look at the address, and whether the token has read access to the issues of that repository.",
        ) from e
    return Issue(title, body)
