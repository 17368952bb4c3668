"""The program that plays one run of an agent: prints its lines when it did, leaves its files, ends as it ended.

    python play.py RECORDING NUMBER SPEED

It runs where the agent would run, perhaps in a sandbox that shows nothing of this package: only the standard library.
"""

import base64
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def leave(tree: Path, files: list[dict[str, Any]]) -> None:
    """Give the tree's files the content that the agent has left."""
    for file in files:
        path = tree / file["path"]
        if not path.resolve().is_relative_to(tree.resolve()) and not path.is_symlink():
            continue  # a recording may be somebody else's
        if path.is_symlink() or path.is_file():
            path.unlink()
        mode = file.get("mode")
        if mode is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        content = base64.b64decode(file["data"])
        if mode == "120000":
            path.symlink_to(os.fsdecode(content))
            continue
        path.write_bytes(content)
        path.chmod(0o755 if mode == "100755" else 0o644)


def play(take: dict[str, Any], speed: float) -> int:
    began = time.monotonic()

    def wait(at: float) -> None:
        if speed > 0:
            time.sleep(max(0.0, at / speed - (time.monotonic() - began)))

    for at, line in take["lines"]:
        wait(at)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    wait(take["seconds"])
    leave(Path.cwd(), take["left"])
    sys.stderr.write(take["stderr"])
    sys.stderr.flush()
    if take["signal"]:
        os.kill(os.getpid(), int(take["signal"]))
    return int(take["code"] or 0)


if __name__ == "__main__":
    recording, number, speed = sys.argv[1:4]
    sys.stdin.read()  # the prompt: whoever writes it must not find a closed pipe
    line = Path(recording).read_bytes().splitlines()[1 + int(number)]
    sys.exit(play(json.loads(line), float(speed)))
