"""Locus: project management for coding agents. Planning in the cloud, execution on your machine."""
