"""Long-lived parts of Locus as services of this user: systemd user units on Linux, launch agents on macOS."""
