"""How `locus run` looks: lines for people, JSON lines for programs."""
