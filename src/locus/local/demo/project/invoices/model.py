"""What an invoice is."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    name: str
    price: Decimal
    quantity: int = 1


@dataclass(frozen=True)
class Invoice:
    customer: str
    lines: list[Line] = field(default_factory=list)
    code: str | None = None
