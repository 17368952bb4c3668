"""Finding invoices."""

from collections.abc import Iterable

from invoices.model import Invoice


def by_customer(invoices: Iterable[Invoice], name: str) -> list[Invoice]:
    """The invoices of a customer; case and outer spaces do not matter."""
    wanted = name.strip().casefold()
    return [invoice for invoice in invoices if invoice.customer.strip().casefold() == wanted]
