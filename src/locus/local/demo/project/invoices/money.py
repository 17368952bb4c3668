"""Money, as people read it."""

from decimal import Decimal


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
