"""A map of a codebase: what its files define and mention, ranked for a task and cut to a budget. Nothing of it leaves
this machine but as part of a prompt."""
