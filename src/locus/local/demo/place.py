"""The demo's own folder: a repository with a bare remote, and nothing of the user's touched."""

import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local.demo.plan import CHECKS
from locus.local.errors import LocalError
from locus.local.evidence.checks import CheckResult, run_check
from locus.local.process import base_environment, run
from locus.local.project import Check

HERE = Path(__file__).parent
BRANCH = "main"
GIT_TIMEOUT = 60.0  # seconds


class Place(Struct, frozen=True):
    """Where everything of one demo lies."""

    root: Path
    environment: Mapping[str, str]

    @property
    def project(self) -> Path:
        return self.root / "invoices"

    @property
    def remote(self) -> Path:
        return self.root / "invoices.git"

    @property
    def result(self) -> Path:
        return self.root / "result"

    @property
    def solutions(self) -> Path:
        """What the scripted agent copies from."""
        return HERE / "solutions"

    @property
    def variables(self) -> dict[str, str]:
        """What makes `locus` keep everything of the demo in its folder."""
        return {
            "LOCUS_CONFIG_DIR": str(self.root / "config"),
            "LOCUS_STATE_DIR": str(self.root / "state"),
            "LOCUS_DATA_DIR": str(self.root / "data"),
        }

    async def build(self) -> None:
        """Make the project, its first commit and its remote."""
        shutil.copytree(HERE / "project", self.project, ignore=shutil.ignore_patterns("__pycache__"))
        configuration = self.project / ".locus" / "config.toml"
        configuration.parent.mkdir()
        configuration.write_text(_configuration(), encoding="utf-8")
        await self.git("init", "--quiet", f"--initial-branch={BRANCH}", cwd=self.project)
        await self.git("add", "--all", cwd=self.project)
        await self.git("commit", "--quiet", "--message", "Invoices, with some tests that are red", cwd=self.project)
        await self.git("clone", "--quiet", "--bare", str(self.project), str(self.remote), cwd=self.root)
        await self.git("remote", "add", "origin", str(self.remote), cwd=self.project)

    async def git(self, *arguments: str, cwd: Path) -> str:
        """Run git with an identity of the demo's own and none of the user's settings. Raises LocalError."""
        environment = {
            **base_environment(self.environment),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Locus demo",
            "GIT_AUTHOR_EMAIL": "demo@locus.invalid",
            "GIT_COMMITTER_NAME": "Locus demo",
            "GIT_COMMITTER_EMAIL": "demo@locus.invalid",
        }
        done = await run(["git", *arguments], cwd=cwd, env=environment, timeout=GIT_TIMEOUT)
        if not done.ok:
            raise LocalError(f"git {arguments[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout.decode("utf-8", "replace")

    async def check_out_result(self, branch: str) -> None:
        """Clone the sprint's branch from the remote, as a reviewer would."""
        await self.git("clone", "--quiet", "--branch", branch, str(self.remote), str(self.result), cwd=self.root)

    async def checks(self, tree: Path) -> Sequence[CheckResult]:
        """Run every check of the demo in a tree."""
        environment, marker = base_environment(self.environment), f"demo-{self.root.name}"
        return [await run_check(check, tree=tree, env=environment, marker=marker) for check in checks()]


def checks() -> list[Check]:
    """The checks of the demo's project: one for each test module, with the Python that runs this."""
    python = shlex.quote(sys.executable)
    return [
        Check(name=name, run=f"{python} -B -m unittest -q tests.test_{name}", timeout=60.0, always=name == "model")
        for name in CHECKS
    ]


def agent_command() -> list[str]:
    """The scripted agent, as a program to run."""
    return [sys.executable, "-B", str(HERE / "agent.py")]


def _configuration() -> str:
    lines = ["# Green before a task may be reviewed. `always = false`: only for tasks that name the check.\n"]
    for check in checks():
        lines += [f"[checks.{check.name}]", f"run = {json.dumps(check.run)}"]
        lines += [] if check.always else ["always = false"]
        lines.append("")
    return "\n".join(lines)
