"""What must not be sent to anybody's phone: tokens and keys, replaced by a word wherever they stand in a text."""

import re
from collections.abc import Iterable

GONE = "[secret]"
LEAST = 8  # characters; a shorter text is no secret that could be found by looking for it

# Forms of keys that are theirs alone. What only looks random stays: every hash and every commit does.
FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\blcs_[0-9A-Za-z]{20,}"  # ours
    r"|\b[0-9]{6,16}:[A-Za-z0-9_-]{30,}"  # a bot's
    r"|\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}"
    r"|\bsk-[A-Za-z0-9_-]{16,}|\bxox[abposr]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{20,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}|\bya29\.[0-9A-Za-z_-]{20,}"
    r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[A-Za-z0-9_-]{30,}|\b(?:rk|sk)_(?:live|test)_[0-9A-Za-z]{16,}"
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r"|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"  # a password in an address
)
NAMED = re.compile(
    r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key)[\w-]*)(\s*[=:]\s*)(?:&quot;|&#x27;|[\"'])?"
    r"(?!\[secret\])([^\s\"'&<>,;]{8,})"
)


class Redactor:
    """Knows this machine's own secrets by their text, and everybody's by their form."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = sorted({one for one in known if len(one) >= LEAST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets; markup stays as it is."""
        for secret in self._known:
            text = text.replace(secret, GONE)
        return NAMED.sub(rf"\1\2{GONE}", FORMS.sub(GONE, text))
