"""What a child may see of our environment: an allow-list, because a list of secrets is never complete."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase, translate
from functools import cache

PERSON_AND_PLACE = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TZ", "XDG_*_HOME", "XDG_RUNTIME_DIR")
TERMINAL = ("LANG", "LANGUAGE", "LC_*", "TERM", "COLORTERM", "NO_COLOR")
NETWORK = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
TOOLCHAINS = (
    *("ANDROID_HOME", "ASDF_DATA_DIR", "ASDF_DIR", "BUN_INSTALL", "CARGO_HOME", "DENO_DIR", "GOPATH", "GOROOT"),
    *("JAVA_HOME", "MISE_DATA_DIR", "NVM_DIR", "PNPM_HOME", "PYENV_ROOT", "RBENV_ROOT", "RUSTUP_HOME"),
    *("SDKMAN_DIR", "UV_CACHE_DIR", "PIP_CACHE_DIR", "VOLTA_HOME"),
)
ALLOWED = (*PERSON_AND_PLACE, *TERMINAL, *NETWORK, *CERTIFICATES, *TOOLCHAINS)

# Ours, and no child's business: not even on request.
NEVER = "LOCUS_*"

# A pattern is too easily wider than was meant, so these pass only when named in full.
BY_FULL_NAME_ONLY = (
    *("GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "DATABASE_URL", "PG*"),
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_*", "LD_*", "DYLD_*", "PYTHON*"),
)


def base_environment(inherited: Mapping[str, str], *, allow: Collection[str] = ()) -> dict[str, str]:
    """Return the part of `inherited` that a child may see.

    `allow` adds names, or patterns such as `ANTHROPIC_*`. A pattern never adds a credential of ours or of the
    user's other tools; a full name does, except `LOCUS_*`, which no child ever sees.
    """
    return {name: value for name, value in inherited.items() if _may_pass(name, allow)}


def _may_pass(name: str, allow: Collection[str]) -> bool:
    if fnmatchcase(name, NEVER):
        return False
    if name in allow:
        return True
    if _matches(name, BY_FULL_NAME_ONLY):
        return False
    return _matches(name, ALLOWED) or _matches(name, allow)


def _matches(name: str, patterns: Collection[str]) -> bool:
    return _one_of(tuple(patterns))(name)


@cache
def _one_of(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """All patterns as one: an environment has a hundred variables, and every child asks for each."""
    names = frozenset(patterns)
    wild = re.compile("|".join(translate(one) for one in patterns if any(sign in one for sign in "*?[")) or r"(?!)")
    return lambda name: name in names or wild.match(name) is not None
