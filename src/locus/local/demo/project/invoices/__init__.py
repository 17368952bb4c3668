"""Invoices: lines, totals, discounts and receipts."""
