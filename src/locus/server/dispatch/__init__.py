"""Handing out work: claims, leases with fences, outcomes, the agents that do it, and the reaper of lost leases."""
