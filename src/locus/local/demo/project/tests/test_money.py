import unittest
from decimal import Decimal

from invoices.money import cents


class Money(unittest.TestCase):
    def test_half_a_cent_goes_up(self):
        self.assertEqual(cents(Decimal("2.345")), Decimal("2.35"))

    def test_half_a_cent_that_is_owed_goes_up_as_well(self):
        self.assertEqual(cents(Decimal("-2.345")), Decimal("-2.35"))

    def test_less_than_half_a_cent_is_dropped(self):
        self.assertEqual(cents(Decimal("2.3449")), Decimal("2.34"))
