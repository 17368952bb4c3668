"""The same situations for every provider: real CLIs get a scripted model, `command` gets a program.

A rig says how its agent comes to edit a file, run a command, and so on. The contract suite asks for nothing else.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.support import agent_clis
from tests.support.model_anthropic import AnthropicModel
from tests.support.model_openai import OpenAIModel
from tests.support.model_server import Fails, ModelServer, Request, Says, Step, ToolCall

from locus.local.providers import claude, codex
from locus.local.providers.base import Provider
from locus.local.providers.command import Command


@dataclass(frozen=True)
class Played:
    """A situation that is set up: whom to run, in which environment, and what its model was asked."""

    provider: Provider
    environment: Mapping[str, str]
    requests: Sequence[Request] = field(default_factory=list)


class Rig(ABC):
    """A real agent and the dialect of its model."""

    name: ClassVar[str]
    server: ClassVar[type[ModelServer]]

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / "work"
        self.work.mkdir(parents=True)

    @property
    @abstractmethod
    def provider(self) -> Provider: ...

    @abstractmethod
    def environment(self, url: str) -> dict[str, str]: ...

    @abstractmethod
    def writes(self, name: str, text: str) -> Step:
        """The model has a file written into the working directory."""

    @abstractmethod
    def runs(self, command: str) -> Step:
        """The model has a shell command run."""

    @abstractmethod
    def used_up(self, resets_at: int) -> Step:
        """The service says that the account's allowance is used up until then (epoch seconds)."""

    @contextmanager
    def plays(self, *script: Step) -> Iterator[Played]:
        with self.server(script) as model:
            yield Played(self.provider, self.environment(model.url), model.requests)


class ClaudeRig(Rig):
    name = "claude"
    server = AnthropicModel

    @property
    def provider(self) -> Provider:
        return claude

    def environment(self, url: str) -> dict[str, str]:
        return agent_clis.claude(self.root, url)

    def writes(self, name: str, text: str) -> Step:
        return Says(tools=[ToolCall("Write", {"file_path": str(self.work / name), "content": text})])

    def runs(self, command: str) -> Step:
        return Says(tools=[ToolCall("Bash", {"command": command, "description": "as scripted"})])

    def used_up(self, resets_at: int) -> Step:
        limit = "anthropic-ratelimit-unified"
        return Fails(
            429,
            headers={
                f"{limit}-status": "rejected",
                f"{limit}-reset": str(resets_at),
                f"{limit}-representative-claim": "five_hour",
                f"{limit}-5h-status": "rejected",
                f"{limit}-5h-reset": str(resets_at),
                f"{limit}-5h-utilization": "1.0",
            },
        )


class SubscribedClaudeRig(ClaudeRig):
    def environment(self, url: str) -> dict[str, str]:
        return agent_clis.subscribed_claude(self.root, url)


class CodexRig(Rig):
    name = "codex"
    server = OpenAIModel

    @property
    def provider(self) -> Provider:
        return codex

    def environment(self, url: str) -> dict[str, str]:
        return agent_clis.codex(self.root, url)

    def writes(self, name: str, text: str) -> Step:
        lines = "".join(f"+{line}\n" for line in text.splitlines())
        patch = f"*** Begin Patch\n*** Add File: {name}\n{lines}*** End Patch\n"
        return Says(tools=[ToolCall("apply_patch", patch)])

    def runs(self, command: str) -> Step:
        return Says(tools=[ToolCall("exec_command", {"cmd": command, "yield_time_ms": 30_000})])

    def used_up(self, resets_at: int) -> Step:
        return Fails(
            429,
            error={"error": {"type": "usage_limit_reached", "plan_type": "plus", "resets_at": resets_at}},
            headers={
                "x-codex-primary-used-percent": "100",
                "x-codex-primary-window-minutes": "300",
                "x-codex-primary-reset-at": str(resets_at),
                "x-codex-primary-reset-after-seconds": str(resets_at - int(time.time())),
            },
        )


class CommandRig(Rig):
    """No model: every step is a line of the program that is the agent."""

    name = "command"

    @property
    def provider(self) -> Provider:
        return Command((sys.executable, "-u", str(self.root / "agent.py")))

    def environment(self, url: str) -> dict[str, str]:
        return agent_clis.base(self.root)

    def writes(self, name: str, text: str) -> Step:
        return Says(f"import pathlib; pathlib.Path({name!r}).write_text({text!r}); print('wrote it')")

    def runs(self, command: str) -> Step:
        return Says(f"import subprocess; subprocess.run({command!r}, shell=True)")

    def used_up(self, resets_at: int) -> Step:
        raise TypeError("a program has no allowance")

    @contextmanager
    def plays(self, *script: Step) -> Iterator[Played]:
        lines = [self._line(step) for step in script]
        (self.root / "agent.py").write_text("import sys\nsys.stdin.read()\n" + "\n".join(lines) + "\n")
        yield Played(self.provider, self.environment(""))

    def _line(self, step: Step) -> str:
        match step:
            case Says(text=text) if text.startswith("import "):
                return text
            case Says(text=text):
                return f"print({text!r})"
            case Fails(status=status):
                return f"sys.exit({status % 250})"
            case _:
                after = f"print({getattr(step, 'after', '')!r}); " if getattr(step, "after", "") else ""
                return f"{after}import time; time.sleep(3600)"


RIGS: dict[str, type[Rig]] = {rig.name: rig for rig in (ClaudeRig, CodexRig, CommandRig)}
REAL_RIGS: dict[str, type[Rig]] = {rig.name: rig for rig in (ClaudeRig, CodexRig)}
