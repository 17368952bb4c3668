"""Receipts, for printers with 21 columns."""

from decimal import Decimal

from invoices.discounts import discount, discounted
from invoices.model import Invoice
from invoices.money import cents


def receipt(invoice: Invoice) -> str:
    """The invoice as lines of text; the last one is the total."""
    rows = [(f"{line.quantity} x {line.name}", line.price * line.quantity) for line in invoice.lines]
    if invoice.code:
        rows.append((invoice.code, -discount(invoice)))
    rows.append(("total", discounted(invoice)))
    return "\n".join(_row(name, amount) for name, amount in rows)


def _row(name: str, amount: Decimal) -> str:
    return f"{name:<12}{cents(amount):>9}"
