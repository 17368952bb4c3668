"""From an empty machine to a pull request, with every provider: what a person types, and what comes of it.

The commands are run as programs, in a HOME of their own. PostgreSQL, git, the agents and their processes are real;
the model that the agents ask is scripted, and GitHub is a server on loopback whose answers GitHub describes.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import agent_clis, wrappers
from tests.support.github import TOKEN, GitHubServer, running
from tests.support.model_anthropic import AnthropicModel
from tests.support.model_openai import OpenAIModel
from tests.support.model_server import ModelServer, Request, Says, Step, ToolCall

BRANCH = "locus/sprint-1"
CONFIG = """
[checks.unit]
run = "test -e two.txt || grep -q right one.txt"

[checks.second]
run = "echo 1 passed in 0.01s; test -e two.txt"
always = false
"""
# The agent's first try is wrong; the check sends it back, into the same conversation.
COMMANDS = (
    ("echo wrong > one.txt",),
    ("echo right > one.txt",),
    ("echo two > two.txt",),
)


@dataclass(frozen=True)
class Machine:
    """A machine with nothing on it but git, Python and an agent."""

    place: Path
    environment: Mapping[str, str]

    @property
    def root(self) -> Path:
        return self.place / "shop"

    def locus(self, *arguments: str, code: int = 0) -> str:
        """Run a command in the repository and return what it printed; it must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "locus", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.root, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


class Asked:
    """The requests that the scripted model got; none for an agent without one."""

    requests: Sequence[Request] = ()


@contextmanager
def claude(place: Path) -> Iterator[tuple[dict[str, str], Asked]]:
    with _scripted(AnthropicModel, lambda command: ToolCall("Bash", {"command": command, "description": "x"})) as model:
        yield agent_clis.claude(place, model.url), model


@contextmanager
def codex(place: Path) -> Iterator[tuple[dict[str, str], Asked]]:
    with _scripted(OpenAIModel, lambda command: ToolCall("exec_command", {"cmd": command})) as model:
        yield agent_clis.codex(place, model.url), model


@contextmanager
def command(place: Path) -> Iterator[tuple[dict[str, str], Asked]]:
    program = place / "agent.sh"
    program.write_text(
        "#!/bin/sh\nprompt=$(cat)\n"
        'case "$prompt" in\n'
        "*'Checks are red'*) echo right > one.txt ;;\n"
        "*'Your task: SHOP-1'*) echo wrong > one.txt ;;\n"
        "*) echo two > two.txt ;;\nesac\necho done\n"
    )
    program.chmod(0o755)
    yield agent_clis.base(place) | {"LOCUS_AGENT_COMMAND": str(program)}, Asked()


def _scripted(dialect: type[ModelServer], tool: "type[ToolCall] | object") -> ModelServer:
    steps: list[Step] = []
    for commands in COMMANDS:
        steps += [Says(tools=[tool(command)]) for command in commands]  # type: ignore[operator]
        steps.append(Says("Done."))
    return dialect(steps)


AGENTS = {"claude": claude, "codex": codex, "command": command}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubServer]:
    with running(tmp_path / "github") as github:
        yield github


@contextmanager
def machine(place: Path, agent: Mapping[str, str], github: GitHubServer) -> Iterator[Machine]:
    """A machine with a clone of acme/shop, and a control plane that was started with `locus up`."""
    variables = {
        "LOCUS_FORGE": "github",
        "LOCUS_FORGE_API": github.api(),
        "GITHUB_TOKEN": TOKEN,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LOCUS_SANDBOX": "on" if wrappers.works() else "off",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    here = Machine(place, {**agent, **variables})
    bare = github.repositories / "acme" / "shop.git"
    here.root.mkdir()
    here.git("init", "--quiet", "--initial-branch=main")
    (here.root / ".locus").mkdir()
    (here.root / ".locus" / "config.toml").write_text(CONFIG)
    here.git("add", "--all")
    here.git("commit", "--quiet", "--message", "Begin")
    here.git("clone", "--quiet", "--bare", str(here.root), str(bare))
    here.git("config", "http.receivepack", "true", cwd=bare)
    here.git("remote", "add", "origin", f"{github.url}/acme/shop.git")
    here.locus("up", "--detach", "--port", "0", "--workspace", "Shop")
    try:
        yield here
    finally:
        here.locus("down")


@pytest.mark.parametrize("provider", AGENTS)
def test_two_tasks_become_two_commits_and_one_pull_request(provider: str, tmp_path: Path, github: GitHubServer) -> None:
    with AGENTS[provider](tmp_path) as (agent, model), machine(tmp_path, agent, github) as here:
        here.locus("init")
        here.locus("sprints", "add", "First sprint")
        here.locus("tasks", "add", "Write one", "--sprint", "1", "--priority", "high")
        here.locus("tasks", "add", "Write two", "--sprint", "1", "--check", "second", "--after", "SHOP-1")
        here.locus("sprints", "start", "1")

        shown = here.locus("run", "--yes", "--provider", provider)

        tasks = json.loads(here.locus("tasks", "list", "--sprint", "1", "--json"))
        bare = github.repositories / "acme" / "shop.git"
        subjects = here.git("log", "--reverse", "--format=%s", f"main..{BRANCH}", cwd=bare).splitlines()
        assert subjects == ["SHOP-1: Write one", "SHOP-2: Write two"]
        assert here.git("show", f"{BRANCH}:one.txt", cwd=bare) == "right"
        assert [task["status"] for task in tasks] == ["IN_REVIEW", "IN_REVIEW"]
        commits = here.git("rev-list", "--reverse", f"main..{BRANCH}", cwd=bare).splitlines()
        assert [task["commit"] for task in tasks] == commits

        assert [(pull["head"]["ref"], pull["base"]["ref"]) for pull in github.pulls] == [(BRANCH, "main")]
        assert "SHOP-2" in github.pulls[0]["body"]
        assert {task["pull_request_url"] for task in tasks} == {github.pulls[0]["html_url"]}
        assert "unit red: the agent gets the output (1 of 3)" in shown
        assert "2 tasks in review" in shown
        assert here.git("status", "--porcelain", "--untracked-files=no") == ""
        assert here.git("branch", "--show-current") == "main"

        # Once more: nothing to claim, and the pull request is the same one.
        here.locus("run", "--yes", "--provider", provider)
        assert len(github.pulls) == 1
        if provider != "command":
            assert len(model.requests) == 2 * len(COMMANDS)


def test_rejected_work_is_done_again_with_the_feedback(tmp_path: Path, github: GitHubServer) -> None:
    with command(tmp_path) as (agent, _), machine(tmp_path, agent, github) as here:
        here.locus("sprints", "add", "First sprint")
        here.locus("tasks", "add", "Write one", "--sprint", "1")
        here.locus("sprints", "start", "1")
        here.locus("run", "--yes", "--provider", "command", "--once")
        here.locus("tasks", "reject", "SHOP-1", "-m", "Spell it in capitals.")

        program = tmp_path / "agent.sh"
        program.write_text("#!/bin/sh\ngrep -q 'Spell it in capitals.' && echo 'right: RIGHT' > one.txt\n")
        here.locus("run", "--yes", "--provider", "command")
        here.locus("tasks", "approve", "SHOP-1")

        task = json.loads(here.locus("tasks", "show", "SHOP-1", "--json"))
        assert (task.get("task") or task)["status"] == "DONE"
        assert len(github.pulls) == 1
