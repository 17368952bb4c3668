"""What a control plane answers when it will not, or cannot; each with an exit code, a sentence and what to do.

PlaneError
├── BadAddress      exit 2   the URL cannot be a control plane's
├── NotSignedIn     exit 3   no key, or one that is not valid (any more)
├── Unreachable     exit 4   nobody answers at the URL, or only with "try again later"
├── BadAnswer       exit 1   something answers that does not speak as a control plane does
├── NotLogged       exit 1   the request could not be written to the egress log, so it was not sent
└── Refused         exit 1   it understood and will not; `problem` says why
    ├── NotFound         there is no such thing here
    ├── Forbidden        the key may not do this
    ├── Invalid          a field is wrong (`problem.errors` names it)
    ├── Busy             too many requests, for longer than we could wait
    └── Conflict         the state of things forbids it
        ├── Stale            somebody else changed it meanwhile
        └── LeaseLost        another attempt has the task now
"""

from locus.wire.problems import Problem


class PlaneError(Exception):
    """A sentence that says what happened, and a remedy that says what to do.

    `retry_after` is in seconds, when the far side named a time.
    """

    exit_code = 1
    retry_after: float | None = None

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class BadAddress(PlaneError):
    exit_code = 2


class NotSignedIn(PlaneError):
    exit_code = 3


class Unreachable(PlaneError):
    exit_code = 4


class BadAnswer(PlaneError):
    pass


class NotLogged(PlaneError):
    pass


class Refused(PlaneError):
    remedy_for_all: str | None = None

    def __init__(self, problem: Problem) -> None:
        # A single field error is usually the detail in other words.
        more = [f"{e.field}: {e.message}" for e in problem.errors if e.message not in problem.detail]
        super().__init__("\n".join([problem.detail or problem.title, *more]), remedy=self.remedy_for_all)
        self.problem = problem


class NotFound(Refused):
    pass


class Forbidden(Refused):
    remedy_for_all = "Sign in with a key that may: `locus login`."


class Invalid(Refused):
    pass


class Busy(Refused):
    remedy_for_all = "Wait a little and try again."


class Conflict(Refused):
    pass


class Stale(Conflict):
    remedy_for_all = "Somebody changed it meanwhile. Look at it again and repeat your change."


class LeaseLost(Conflict):
    pass


BY_STATUS: dict[int, type[Refused]] = {
    400: Invalid,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    429: Busy,
}
BY_CODE: dict[str, type[Refused]] = {"stale": Stale, "lease_lost": LeaseLost}


def refusal(problem: Problem) -> Refused:
    """The error that a problem stands for."""
    return (BY_CODE.get(problem.code) or BY_STATUS.get(problem.status) or Refused)(problem)
