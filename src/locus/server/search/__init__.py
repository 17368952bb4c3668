"""Search: one field that finds tasks, docs and sprints."""
