"""An agent that edits one file and says when it began and when it was done, by the clock that all processes share.

Arguments: for how many seconds it thinks, and how many lines of 10,000 characters it talks meanwhile. Its own start
counts as ours: its clock begins with its first line.
"""

import time

BEGAN = time.monotonic()

import sys  # noqa: E402  # after the clock

sys.stdin.read()
for _ in range(int(sys.argv[2])):
    sys.stdout.write("thinking " * 1_111 + "\n")
time.sleep(float(sys.argv[1]))
with open("notes.txt", "a", encoding="utf-8") as notes:  # noqa: PTH123  # pathlib takes longer than the edit
    notes.write(f"{BEGAN}\n")
sys.stdout.write(f"began {BEGAN!r} ended {time.monotonic()!r}\n")
