"""Sprints: the order of work. At most one is active in a workspace, and the database keeps it so."""
