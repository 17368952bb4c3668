"""The scripted agent of the demo: no model, but real edits of real files.

It is run as any agent of the `command` provider is: the prompt on standard input, the repository as its working
directory. It finds its task in the prompt, says what it does, and writes the files of the solution. The first time it
is asked about money it rounds the wrong way, so that one can watch a red check come back to the agent.
"""

import re
import shutil
import sys
import time
from pathlib import Path

SOLUTIONS = Path(__file__).parent / "solutions"
COMPILED = "__pycache__"  # an installer compiles every Python file, those of the solutions too
PACE = 0.25  # seconds between what it says, so that a person can follow


def main() -> int:
    prompt = sys.stdin.read()
    found = re.search(r"\[demo:(\w+)\]", prompt)
    if found is None:
        sys.stdout.write("scripted agent: this is not a task of the demo\n")
        return 1
    name = found[1]
    again = "Checks are red" in prompt
    solution = SOLUTIONS / f"{name}.first"
    if again or not solution.is_dir():
        solution = SOLUTIONS / name
    say("Reading the failing test once more." if again else f"Looking at what tests/test_{name}.py expects.")
    for source in sorted(path for path in solution.rglob("*") if path.is_file() and COMPILED not in path.parts):
        target = Path(source.relative_to(solution))
        say(f"Writing {target}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    say("Done.")
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    time.sleep(PACE)


if __name__ == "__main__":
    sys.exit(main())
