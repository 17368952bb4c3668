"""An agent's words about its work, made fit to leave the machine: plain words, nothing of the tree, 500 characters."""

from locus.local.summaries.scrub import Scrubbed, scrub
from locus.local.summaries.tree import NotCompared, Place

__all__ = ["NotCompared", "Place", "Scrubbed", "scrub"]
