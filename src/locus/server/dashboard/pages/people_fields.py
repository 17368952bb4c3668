"""Fields of the forms about people."""

from uuid import UUID

from locus.server.errors import Invalid


def identifier(given: str, field: str) -> UUID:
    """The id that a choice of a form stands for.

    Raises:
        Invalid: it is none.
    """
    try:
        return UUID(given)
    except ValueError as e:
        raise Invalid.field(field, "must be one of the choices") from e
