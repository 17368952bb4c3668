"""What a worker must know after it was killed: how far each attempt had come, what nobody was told, the cost."""

from locus.local.journal.claims import Claims, HeldChange, OpenClaim
from locus.local.journal.ledger import LEDGER, Account, Amounts, Ledger
from locus.local.journal.steps import Entry, Journal, Report, ReportKind, Step

__all__ = [
    "LEDGER",
    "Account",
    "Amounts",
    "Claims",
    "Entry",
    "HeldChange",
    "Journal",
    "Ledger",
    "OpenClaim",
    "Report",
    "ReportKind",
    "Step",
]
