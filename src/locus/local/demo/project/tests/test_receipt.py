import unittest
from decimal import Decimal

from invoices.model import Invoice, Line


class Receipt(unittest.TestCase):
    def test_amounts_stand_in_one_column_and_the_total_is_last(self):
        from invoices.receipt import receipt

        text = receipt(Invoice("Ada", [Line("tea", Decimal("2.50"), 2), Line("cake", Decimal(14))], "SPRING15"))

        self.assertEqual(
            text.splitlines(),
            [
                "2 x tea          5.00",
                "1 x cake        14.00",
                "SPRING15        -2.85",
                "total           16.15",
            ],
        )
