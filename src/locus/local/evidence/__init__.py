"""What we measured ourselves: checks that we ran, on the tree that is committed."""
