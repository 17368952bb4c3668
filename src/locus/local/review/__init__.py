"""Reviews: an agent looks at a change, read-only, and what it finds is judged, kept and told."""
