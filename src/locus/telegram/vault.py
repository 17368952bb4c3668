"""Where the bot's token is kept: in the keyring of the system when there is one that works, else in our file.

The library is loaded only for a token that is in a keyring, or to be put there.
"""

from functools import cache
from typing import TYPE_CHECKING

from locus.local.errors import LocalError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "locus-telegram"
AGAIN = "Set the bot up again: locus telegram setup"


def keep(bot: str, token: str) -> bool:
    """Put a token into the keyring; false when there is none that keeps it."""
    backend = _backend()
    if backend is None:
        return False
    from keyring.errors import KeyringError

    try:
        backend.set_password(SERVICE, bot, token)
        kept = backend.get_password(SERVICE, bot) == token
    except (KeyringError, OSError):
        return False
    find.cache_clear()
    return kept


@cache
def find(bot: str) -> str:
    """The token of a bot in the keyring. Raises LocalError when it cannot be had."""
    backend = _backend()
    if backend is None:
        raise LocalError("The keyring with the bot's token is gone.", remedy=AGAIN)
    from keyring.errors import KeyringError

    try:
        token = backend.get_password(SERVICE, bot)
    except (KeyringError, OSError) as e:
        raise LocalError(
            f"The keyring does not give the bot's token: {type(e).__name__}.",
            remedy=f"Unlock it. {AGAIN}",
        ) from None
    if token is None:
        raise LocalError(f"The keyring has no token of @{bot}.", remedy=AGAIN)
    return token


def forget(bot: str) -> None:
    """Take a token out of the keyring, if it is there."""
    backend = _backend()
    if backend is None:
        return
    from keyring.errors import KeyringError

    try:
        backend.delete_password(SERVICE, bot)
    except (KeyringError, OSError):
        pass  # it has none, or is locked: then nobody reads it either
    find.cache_clear()


def _backend() -> "KeyringBackend | None":
    """The keyring that the system or its user has chosen; None when it would keep nothing."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        found = keyring.get_keyring()
        works = found.priority > 0
    except (KeyringError, RuntimeError, OSError):
        return None
    return found if works else None
