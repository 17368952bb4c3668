import unittest
from decimal import Decimal

from invoices.model import Invoice, Line
from invoices.totals import total


class Totals(unittest.TestCase):
    def test_an_empty_invoice_costs_nothing(self):
        self.assertEqual(total(Invoice("Ada")), 0)

    def test_three_teas_cost_three_times_one_tea(self):
        self.assertEqual(total(Invoice("Ada", [Line("tea", Decimal("2.50"), 3)])), Decimal("7.50"))

    def test_lines_add_up(self):
        lines = [Line("tea", Decimal("2.50"), 2), Line("cake", Decimal(4))]
        self.assertEqual(total(Invoice("Ada", lines)), Decimal(9))
