"""What an invoice costs."""

from decimal import Decimal

from invoices.model import Invoice


def total(invoice: Invoice) -> Decimal:
    return sum((line.price * line.quantity for line in invoice.lines), Decimal(0))
