"""The doctor: looks at a machine and a repository as `locus run` would find them, and changes nothing.

A subject is a file with functions that return findings; `rounds` says which are asked, and in which order.
"""

from locus.local.doctor.finding import Finding, Level
from locus.local.doctor.rounds import examine

__all__ = ["Finding", "Level", "examine"]
