"""What agents did, kept so that it can be done again without them."""
