import unittest
from decimal import Decimal

from invoices.model import Invoice, Line


class Discounts(unittest.TestCase):
    def price(self, code):
        from invoices.discounts import discounted

        return discounted(Invoice("Ada", [Line("tea", Decimal(10), 2)], code))

    def test_no_code_no_discount(self):
        self.assertEqual(self.price(None), Decimal("20.00"))

    def test_a_code_takes_its_percentage_off(self):
        self.assertEqual(self.price("SPRING15"), Decimal("17.00"))

    def test_an_unknown_code_is_refused_by_name(self):
        with self.assertRaisesRegex(ValueError, "WINTER99"):
            self.price("WINTER99")
