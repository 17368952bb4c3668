import unittest
from decimal import Decimal

from invoices.model import Invoice, Line


class Model(unittest.TestCase):
    def test_a_line_is_one_piece_unless_it_says_otherwise(self):
        self.assertEqual(Line("tea", Decimal(3)).quantity, 1)

    def test_an_invoice_begins_empty(self):
        self.assertEqual(Invoice("Ada").lines, [])
