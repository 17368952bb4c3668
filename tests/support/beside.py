"""A person with a real agent beside them whose model answers by script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import agent_clis, person as persons, wrappers
from tests.support.model_anthropic import AnthropicModel
from tests.support.model_openai import OpenAIModel
from tests.support.model_server import ModelServer, Request, Says, Step, ToolCall
from tests.support.person import Person, Said

SERVERS: dict[str, type[ModelServer]] = {"claude": AnthropicModel, "codex": OpenAIModel}
OWN = ("ANTHROPIC_", "CLAUDE_", "OPENAI_")


@dataclass(frozen=True)
class Beside:
    """`person` stands in `checkout`; what their agent asked its model is in `requests`."""

    person: Person
    checkout: Path
    agent: str
    requests: Sequence[Request] = field(default_factory=list)

    def locus(self, *arguments: str) -> Said:
        return self.person.locus(*arguments, cwd=self.checkout, timeout=150)

    def told(self, *arguments: str) -> Any:
        """Run `locus … --json`, which must succeed, and return the document."""
        said = self.locus(*arguments, "--json")
        assert said.code == 0, said
        return json.loads(said.out)

    def asked(self, at: int = -1) -> str:
        """What the model was sent, all of it, as text."""
        return json.dumps(self.requests[at].body)


def standing(place: Path, agent: str, *, sandbox: bool = True) -> Person:
    """A person with a repository `shop`, who uses that agent and has agreed to the sandbox."""
    person = persons.new(
        place, LOCUS_PROVIDER=agent, LOCUS_SANDBOX="on" if sandbox else "off", LOCUS_STATE_DIR=str(place / "state")
    )
    if sandbox:
        wrappers.put_on_path(person)
    person.repository("shop")
    return person


@contextmanager
def beside(
    place: Path, agent: str, *script: Step, sandbox: bool = True, person: Person | None = None
) -> Iterator[Beside]:
    """The person with an agent whose model says what the script says, until the end of the block."""
    agent_clis.require(agent)
    person = person or standing(place, agent, sandbox=sandbox)
    link = person.bin / agent
    if not link.is_symlink():
        link.symlink_to((agent_clis.BIN / agent).resolve())
    with SERVERS[agent](script) as model:
        made = agent_clis.claude(place, model.url) if agent == "claude" else agent_clis.codex(place, model.url)
        person.variables.update({name: value for name, value in made.items() if name.startswith(OWN)})
        yield Beside(person, person.home / "shop", agent, model.requests)


def writes(agent: str, person: Person, name: str, text: str) -> Step:
    """The model has a file written into the checkout."""
    if agent == "claude":
        return Says(tools=[ToolCall("Write", {"file_path": str(person.home / "shop" / name), "content": text})])
    lines = "".join(f"+{line}\n" for line in text.splitlines())
    return Says(tools=[ToolCall("apply_patch", f"*** Begin Patch\n*** Add File: {name}\n{lines}*** End Patch\n")])


def runs(agent: str, command: str) -> Step:
    """The model has a command run."""
    if agent == "claude":
        return Says(tools=[ToolCall("Bash", {"command": command, "description": "as scripted"})])
    return Says(tools=[ToolCall("exec_command", {"cmd": command, "yield_time_ms": 30_000})])
