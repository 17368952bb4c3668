"""Permissions: what an agent asks before it acts, and the answer of whoever is there first: a terminal or a phone."""
