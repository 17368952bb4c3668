"""Discussions: talks about a topic, and the insights that come of them."""
