"""Discount codes."""

from decimal import Decimal

from invoices.model import Invoice
from invoices.money import cents
from invoices.totals import total

PERCENT = {"SPRING15": 15, "FRIENDS25": 25}


def discount(invoice: Invoice) -> Decimal:
    """What the invoice's code takes off its total."""
    if invoice.code is None:
        return Decimal(0)
    if invoice.code not in PERCENT:
        raise ValueError(f"There is no discount code {invoice.code}.")
    return cents(total(invoice) * PERCENT[invoice.code] / 100)


def discounted(invoice: Invoice) -> Decimal:
    """What is left to pay."""
    return cents(total(invoice) - discount(invoice))
