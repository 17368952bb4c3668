"""Agent CLIs that we can drive: one file each, one table, one `run` for all."""
