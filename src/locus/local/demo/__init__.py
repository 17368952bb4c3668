"""The demo: a small real project with failing tests, its tasks, and a scripted agent that really edits its files."""
