"""What every route has in common: bodies, problems, pages, conditional edits, idempotency, the frame around it."""
