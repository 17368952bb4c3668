"""A machine that is full of words that exist nowhere else: a repository, a home, an environment, an agent.

Shares no code with the product.
"""

import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.person import Person

FILES, FOLDERS, IGNORED, UNTRACKED = 400, 40, 80, 40
LINES = 60  # of .env, of the environment, of what the agent and the checks print
WORDS = (
    "amount",
    "batch",
    "cursor",
    "delta",
    "entry",
    "frame",
    "gauge",
    "handle",
    "index",
    "journal",
    "kernel",
    "ledger",
)


@dataclass
class Canaries:
    """Words by the kind of place that they are planted in; `seed` makes them."""

    seed: int
    words: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def new(self, kind: str) -> str:
        """A new word of at least WINDOW bytes, planted by the caller."""
        word = f"cnry{kind}{self._chance.getrandbits(72):018x}"
        self.words.setdefault(kind, []).append(word)
        return word

    def several(self, kind: str, count: int) -> list[str]:
        return [self.new(kind) for _ in range(count)]

    @property
    def count(self) -> int:
        return sum(len(words) for words in self.words.values())

    def prose(self, kind: str) -> str:
        """A few lines around a word, as a file may have them."""
        words = [" ".join(self._chance.choices(WORDS, k=6)) for _ in range(4)]
        return f"# {words[0]}\nvalue = '{self.new(kind)}'\n# {words[1]}\n# {words[2]}\n"


def plant(canaries: Canaries, person: Person) -> Path:
    """Fill the person's machine; returns their repository."""
    root = person.repository("shop")
    folders = [root / canaries.new("folder") for _ in range(FOLDERS)]
    for folder in folders:
        folder.mkdir()
    for number in range(FILES):
        path = folders[number % FOLDERS] / f"{canaries.new('name')}.py"
        path.write_text(canaries.prose("body"))
    (root / ".gitignore").write_text("*.local\n.env\n")
    (root / "AGENTS.md").write_text(canaries.prose("instructions"))
    _configure(canaries, root)
    for number, word in enumerate(canaries.several("commit", 20)):
        (root / "notes.txt").write_text(f"{number}\n")
        person.git("add", "--all", cwd=root)
        person.git("commit", "--quiet", "--message", f"Note {word}", "--message", canaries.new("commit"), cwd=root)
    person.git("push", "--quiet", "origin", "main", cwd=root)
    for number in range(IGNORED):
        (folders[number % FOLDERS] / f"{canaries.new('ignoredname')}.local").write_text(canaries.prose("ignored"))
    for number in range(UNTRACKED):
        (folders[number % FOLDERS] / f"{canaries.new('untrackedname')}.txt").write_text(canaries.prose("untracked"))
    (root / ".env").write_text("".join(f"KEY_{word[:4]}={word}\n" for word in canaries.several("dotenv", LINES)))
    _settings_of_git(canaries, person, root)
    for number, word in enumerate(canaries.several("environment", LINES)):
        person.variables[f"SETTING_{number}"] = word
    temporary = person.place / canaries.new("tmpdir")
    temporary.mkdir()
    person.variables["TMPDIR"] = str(temporary)
    person.variables["USER"] = person.variables["LOGNAME"] = canaries.new("user")
    person.variables["HOSTNAME"] = canaries.new("hostvariable")
    return root


def _configure(canaries: Canaries, root: Path) -> None:
    (root / ".locus").mkdir()
    check = root / "check.py"
    printed = "\n".join(canaries.several("checkoutput", LINES))
    check.write_text(
        "import pathlib, sys\n"
        f"print('''{printed}''')\n"
        f"print('{canaries.new('checkerror')}', file=sys.stderr)\n"
        "broken = [p for p in pathlib.Path('.').glob('*.done') if 'wrong' in p.read_text()]\n"
        "print('1 failed, 2 passed in 0.01s' if broken else '3 passed in 0.01s')\n"
        "sys.exit(1 if broken else 0)\n"
    )
    (root / ".locus" / "config.toml").write_text(
        f'[worktree]\ncopy = [".env"]\n\n[checks.unit]\nrun = "{sys.executable} -B check.py"\n'
    )
    (root / ".locus" / "LEARNINGS.md").write_text(canaries.prose("learnings"))


def _settings_of_git(canaries: Canaries, person: Person, root: Path) -> None:
    url = f"https://ada:{canaries.new('password')}@{canaries.new('forge')}.example.org/shop.git"
    person.git("remote", "add", "backup", url, cwd=root)
    person.git("config", "user.name", canaries.new("gitname"), cwd=root)
    person.git("config", "user.email", f"{canaries.new('gitmail')}@example.org", cwd=root)
    person.git("config", "locus.note", canaries.new("gitconfig"), cwd=root)


def agent(canaries: Canaries, person: Person, name: str, work: str) -> Path:
    """An agent that talks: it prints the prompt, the tree, its environment and words of its own, then does `work`.

    `work` is Python; `key` is the key of the task in it, `prompt` the prompt.
    """
    stdout, stderr = canaries.several("stdout", LINES), canaries.several("stderr", LINES)
    script = person.place / f"{name}.py"
    script.write_text(
        "import os, pathlib, re, subprocess, sys, time\n"
        "prompt = sys.stdin.read()\n"
        "key = re.search(r'Your task: (\\S+)', prompt)\n"
        "key = key[1] if key else 'again'\n"
        f"print('\\n'.join({stdout!r}), flush=True)\n"
        f"print('\\n'.join({stderr!r}), file=sys.stderr, flush=True)\n"
        "print(prompt)\n"
        "for path in pathlib.Path('.').rglob('*'):\n"
        "    print(path)\n"
        "    if path.is_file() and '.git' not in path.parts:\n"
        "        print(path.read_bytes()[:4000].decode(errors='replace'))\n"
        "for name, value in os.environ.items():\n"
        "    print(name, value)\n"
        f"{work}\n"
        f"print('In short: the parser was changed, see {canaries.new('lastwords')}.')\n"
    )
    return person.program(name, f"exec {sys.executable} -B {script}")


def on_machine(host: str) -> list[str]:
    """What to put before a command so that the machine has this name; nothing when that is not allowed here."""
    prefix = [shutil.which("unshare") or "unshare", "--uts", sys.executable, "-c", RENAMED, host]
    try:
        done = subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=20)
    except OSError:
        return []
    return prefix if done.returncode == 0 else []


RENAMED = "import os, socket, sys; socket.sethostname(sys.argv[1]); os.execvp(sys.argv[2], sys.argv[2:])"
