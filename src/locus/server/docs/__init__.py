"""Docs: what people wrote down for each other and for the agents."""
