"""Refusals: what the server says when it will not do a thing. Anything else that rises is our bug and a plain 500.

Refused
├── Invalid        422  a field is wrong (the fields are named)
├── BadRequest     400  the request cannot be read
├── Unauthorized   401  no key, or not a valid one
├── Forbidden      403  the key may not do this
├── NotFound       404  not here, or not yours: the same answer
├── Conflict       409  the state of things forbids it
│   ├── Stale          the version in If-Match is not the current one
│   └── LeaseLost      the fence is not the current one
├── TooLarge       413  the body is over the limit
├── TooMany        429  this key has enough of them open already
├── PreconditionRequired 428  an edit without If-Match
└── Unavailable    503  the database does not answer; try again
"""

from collections.abc import Mapping
from types import MappingProxyType

from locus.wire.problems import FieldProblem


class Refused(Exception):
    """A refusal: an HTTP status, a stable code for programs and a sentence for people."""

    status = 400
    title = "Refused"
    code = "refused"
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, *, code: str | None = None, errors: list[FieldProblem] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = errors or []


class Invalid(Refused):
    status, title, code = 422, "Invalid request", "invalid"

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """One field is wrong: `field` as the client wrote it, `message` without the field's name."""
        return cls(f"{field}: {message}", errors=[FieldProblem(field=field, message=message)])


class BadRequest(Refused):
    status, title, code = 400, "Bad request", "bad_request"


class Unauthorized(Refused):
    status, title, code = 401, "Not signed in", "unauthorized"
    headers = MappingProxyType({"WWW-Authenticate": 'Bearer realm="locus"'})


class Forbidden(Refused):
    status, title, code = 403, "Not allowed", "forbidden"


class NotFound(Refused):
    status, title, code = 404, "Not found", "not_found"

    def __init__(self, detail: str = "There is no such thing here.") -> None:
        super().__init__(detail)


class Conflict(Refused):
    status, title, code = 409, "Conflict", "conflict"


class Stale(Conflict):
    code = "stale"


class LeaseLost(Conflict):
    code = "lease_lost"


class TooLarge(Refused):
    status, title, code = 413, "Too large", "too_large"


class TooMany(Refused):
    status, title, code = 429, "Too many", "too_many"
    headers = MappingProxyType({"Retry-After": "5"})


class PreconditionRequired(Refused):
    status, title, code = 428, "If-Match required", "precondition_required"


class Unavailable(Refused):
    status, title, code = 503, "Temporarily unavailable", "unavailable"
    headers = MappingProxyType({"Retry-After": "2"})
