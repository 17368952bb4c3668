"""A person on a machine of their own: a home, a PATH with few programs, repositories, and `locus` as they start it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pexpect

PROGRAMS = ("git", "sh", "cat", "env", "sleep", "true", "false")


@dataclass(frozen=True)
class Said:
    """What a command that ended has said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Person:
    """`home` is below the test's directory; nothing of the machine's own user is seen or written."""

    place: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def bin(self) -> Path:
        return self.place / "bin"

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / "locus"

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "LOCUS_SANDBOX": "off",  # it has tests of its own
            **self.variables,
        }

    def locus(self, *arguments: str, cwd: Path | None = None, timeout: float = 90) -> Said:
        """Run `locus` to its end, at most `timeout` seconds, with pipes for a terminal."""
        done = subprocess.run(
            command(*arguments),
            cwd=cwd or self.home,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def at_terminal(
        self, *arguments: str, cwd: Path | None = None, timeout: float = 60, columns: int = 100
    ) -> "pexpect.spawn[str]":
        """Start `locus` in a terminal."""
        return pexpect.spawn(
            sys.executable,
            ["-m", "locus", *arguments],
            cwd=str(cwd or self.home),
            env=self.environment(),  # type: ignore[arg-type]
            dimensions=(40, columns),
            encoding="utf-8",
            timeout=timeout,
        )

    def git(self, *arguments: str, cwd: Path) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=cwd, env=self.environment(), check=True, capture_output=True, text=True
        ).stdout.strip()

    def repository(self, name: str = "shop", *, remote: bool = True) -> Path:
        """Make a repository with one commit, pushed to a bare remote of its own."""
        root = self.home / name
        root.mkdir()
        self.git("init", "-q", "-b", "main", cwd=root)
        (root / "README.md").write_text("A shop.\n")
        self.git("add", ".", cwd=root)
        self.git("commit", "-q", "-m", "Begin", cwd=root)
        if remote:
            self.git("init", "-q", "--bare", "-b", "main", str(self.bare(name)), cwd=root)
            self.git("remote", "add", "origin", str(self.bare(name)), cwd=root)
            self.git("push", "-q", "-u", "origin", "main", cwd=root)
        return root

    def bare(self, name: str = "shop") -> Path:
        return self.place / f"{name}.git"

    def program(self, name: str, script: str) -> Path:
        """Put a shell script on the PATH."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path


def command(*arguments: str) -> list[str]:
    """The command line of `locus`, in the Python of the tests."""
    return [sys.executable, "-m", "locus", *arguments]


def new(place: Path, **variables: str) -> Person:
    """A person who has just got their machine, with these environment variables."""
    person = Person(place, variables)
    person.home.mkdir(mode=0o700)
    person.bin.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None, f"{name} is needed for this test"
        (person.bin / name).symlink_to(found)
    (person.home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    return person
