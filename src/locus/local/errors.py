"""What can go wrong on the machine in a way that its owner can mend. Everything else is our bug and shows itself.

LocalError
├── Usage             exit 2   wrong arguments or settings
├── NotSignedIn       exit 3   this machine has no key for the server
└── (LocalError)      exit 1   anything else a person can act on

What the control plane answers, or does not answer, is in locus.client.errors.
"""


class LocalError(Exception):
    """A sentence that says what happened, and a remedy that says what to do."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class Usage(LocalError):
    exit_code = 2


class NotSignedIn(LocalError):
    exit_code = 3
