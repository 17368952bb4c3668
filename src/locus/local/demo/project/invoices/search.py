"""Finding invoices."""

from collections.abc import Iterable

from invoices.model import Invoice


def by_customer(invoices: Iterable[Invoice], name: str) -> list[Invoice]:
    return [invoice for invoice in invoices if invoice.customer == name]
