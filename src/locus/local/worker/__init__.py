"""The worker: claims tasks one by one, has an agent do them, checks, commits, pushes, reports. Read loop.py first."""
