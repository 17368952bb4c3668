"""What an error says. The shape is RFC 9457 (problem details) with a stable code and the fields at fault."""

from locus.wire.base import Answer


class FieldProblem(Answer, frozen=True, kw_only=True):
    """One thing that is wrong with one field of a request."""

    field: str
    message: str


class Problem(Answer, frozen=True, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"
    instance: str | None = None
    errors: list[FieldProblem] = []
