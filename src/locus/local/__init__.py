"""Everything that touches the user's code: git, agents, checks, worker. It knows wire and client, never the server."""
