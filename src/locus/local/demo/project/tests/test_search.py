import unittest

from invoices.model import Invoice
from invoices.search import by_customer


class Search(unittest.TestCase):
    def test_case_and_outer_spaces_do_not_matter(self):
        ada, grace = Invoice("Ada Lovelace"), Invoice("Grace Hopper")
        self.assertEqual(by_customer([ada, grace], " ada LOVELACE "), [ada])

    def test_letters_that_only_look_different_are_the_same(self):
        self.assertEqual(len(by_customer([Invoice("Strauß")], "STRAUSS")), 1)
