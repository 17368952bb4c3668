"""How Locus got onto this machine, and how the same installer brings the next version."""
