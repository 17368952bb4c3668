"""Money, as people read it."""

from decimal import ROUND_UP, Decimal


def cents(amount: Decimal) -> Decimal:
    """Round to whole cents."""
    return amount.quantize(Decimal("0.01"), ROUND_UP)
