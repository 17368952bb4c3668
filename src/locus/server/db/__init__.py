"""PostgreSQL as the server sees it: where it comes from, the connections to it, and the schema's migrations."""
