"""What can go wrong with the database.

DatabaseUnavailable      at start: there is no usable PostgreSQL; an operator must act
├── DatabaseIsNewer      the schema comes from a later program
├── MigrationChanged     a migration that was applied is not the one this program brings
└── MigrationFailed      a migration was refused by PostgreSQL
DatabaseDown             while serving: PostgreSQL does not answer now; HTTP says 503 and when to try again
"""

import errno

from locus.server.errors import Unavailable


class DatabaseUnavailable(Exception):
    """No usable PostgreSQL. `message` says what happened, `remedy` what to do about it."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"


class DatabaseIsNewer(DatabaseUnavailable):
    """The schema has migrations that this program does not know."""


class MigrationChanged(DatabaseUnavailable):
    """A migration that was already applied differs from the file of the same number."""


class MigrationFailed(DatabaseUnavailable):
    """PostgreSQL refused a migration; nothing of it was kept."""


class DatabaseDown(Unavailable):
    """PostgreSQL does not answer at the moment: restarting, unreachable, full or overloaded."""

    code = "database_down"


FULL = ("No space left on device", "Disk quota exceeded")
REFUSED = ("Permission denied", "Operation not permitted", "Read-only file system")


def why_it_failed(what: str, output: str, *, where: str) -> DatabaseUnavailable:
    """The error for a PostgreSQL program that failed: what happened, the tail of its output, and a remedy that fits it.

    `what` is a sentence; `where` names the directory that the remedy speaks of.
    """
    lines = [line for line in output.splitlines() if line.strip()]
    tail = "\n".join(f"  {line}" for line in lines[-8:]) or "  (it printed nothing)"
    if any(sign in output for sign in FULL):
        remedy = f"The disk is full. Free some space for {where} and start again."
    elif any(sign in output for sign in REFUSED):
        remedy = f"Give the account that runs PostgreSQL access to {where}, or choose another data directory."
    else:
        remedy = "Mend what PostgreSQL complains about, or set DATABASE_URL to use a PostgreSQL of your own."
    return DatabaseUnavailable(f"{what}\n{tail}", remedy=remedy)


def from_os_error(error: OSError, *, where: str) -> DatabaseUnavailable:
    """The error for a file operation of ours that failed at or below `where`."""
    name = error.filename or where
    message = f"The embedded PostgreSQL cannot use {name}: {error.strerror or error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DatabaseUnavailable(message, remedy=f"The disk is full. Free some space for {where} and start again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DatabaseUnavailable(
            message, remedy="Run as the owner of that directory, or choose another data directory."
        )
    return DatabaseUnavailable(message, remedy="Choose another data directory, or set DATABASE_URL.")
