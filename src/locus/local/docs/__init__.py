"""Docs of the control plane as files of a checkout, kept the same on both sides without losing a word of either."""
