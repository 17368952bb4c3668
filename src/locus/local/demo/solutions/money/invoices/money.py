"""Money, as people read it."""

from decimal import ROUND_HALF_UP, Decimal


def cents(amount: Decimal) -> Decimal:
    """Round to whole cents; half a cent goes away from zero."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
