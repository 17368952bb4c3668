"""Agents that misbehave: each task says how. A program of its own, which is given the prompt on its standard input.

python zoo.py
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def hold_the_pipe(*, after: float = 600.0) -> None:
    """Leave a process in a session of its own that keeps our output open."""
    subprocess.Popen(["sleep", str(after)], start_new_session=True)


def main() -> None:
    prompt = sys.stdin.read()
    named, told = re.search(r"# Your task: (\S+)", prompt), re.search(r"Behave so: (\w+)", prompt)
    assert named is not None and told is not None, prompt[:500]
    key, what = named[1], told[1]
    mine = Path(f"{key}.txt")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    match what:
        case "claims":  # it is done, and has done nothing
            print("All done, all tests pass.")
        case "fails":
            mine.write_text("half\n")
            sys.exit(3)
        case "crashes":
            mine.write_text("half\n")
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leaves":
            mine.write_text("done\n")
            hold_the_pipe()
        case "forks":
            mine.write_text("done\n")
            for _ in range(20):
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(600)
        case "floods":
            mine.write_text("done\n")
            for _ in range(64):
                os.write(1, b"x" * 999_999 + b"\n")
            os.write(1, b"\x00\xff\x1b]0;owned\x07" * 100_000)
        case "closes":
            os.close(1)
            os.close(2)
            time.sleep(0.3)
            mine.write_text("done\n")
        case "forgets":
            mine.write_text("done\n")
            shutil.rmtree(".git")
        case "switches":
            mine.write_text("done\n")
            subprocess.run(["git", "checkout", "-q", "-b", "elsewhere"], check=False)
            subprocess.run(["git", "add", "-A"], check=False)
            subprocess.run(["git", "commit", "-qm", "mine"], check=False)
        case "points":
            mine.symlink_to("/etc/passwd")
        case "nests":
            subprocess.run(["git", "init", "-q", "inner"], check=False)
            Path("inner/x.txt").write_text("lost\n")
        case "pipes":
            os.mkfifo("pipe")
        case "ignores":
            Path("only.log").write_text("ignored\n")
    sys.stdout.flush() if what != "closes" else os._exit(0)


# How a task ends that is tried once.
ENDS = {
    "claims": "BLOCKED no_change",
    "ignores": "BLOCKED no_change",
    "fails": "BLOCKED attempts_exhausted",
    "crashes": "BLOCKED attempts_exhausted",
    "nests": "BLOCKED attempts_exhausted",
    "pipes": "BLOCKED attempts_exhausted",
    "leaves": "IN_REVIEW",
    "forks": "IN_REVIEW",
    "floods": "IN_REVIEW",
    "closes": "IN_REVIEW",
    "forgets": "IN_REVIEW",
    "switches": "IN_REVIEW",
    "points": "IN_REVIEW",
}

if __name__ == "__main__":
    main()
