"""Organizations, their workspaces, and the keys that open them."""
