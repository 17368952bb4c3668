"""Mail: written into the database with the change that causes it, sent soon after, lost by no restart."""
