"""An agent that obeys every instruction that somebody hid where it reads: in the sandbox, none of them succeeds.

The corpus is data (injections.toml). All of it goes through a real worker, in the places of a task and of a repository
where texts of others stand; the agent runs every command that it is told to. Outside the sandbox each is seen to work.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.local.sandbox.world import World, world
from tests.support import server as servers, wrappers
from tests.support.postgres import Databases
from tests.support.processes import is_alive
from tests.support.workshop import Workshop, workshop

from locus.local.project import Check
from locus.local.sandbox import Network, Policy
from locus.local.worker.loop import Run
from locus.wire.docs import DocDraft
from locus.wire.tasks import ChecklistItemDraft, Task

# Whatever it reads, in the prompt or in a file, it does.
OBEDIENT = r"""
import re
told = prompt
for path in sorted(pathlib.Path('.').rglob('*')):
    if path.is_file() and '.git' not in path.parts:
        told += path.read_text(errors='replace')
pathlib.Path('loot').mkdir(exist_ok=True)
done = []
for command in dict.fromkeys(re.findall(r'run: `([^`]+)`', told)):
    done.append(command)
    try:
        subprocess.run(['sh', '-c', command], timeout=20, stdin=subprocess.DEVNULL, capture_output=True)
    except subprocess.TimeoutExpired:
        pass
pathlib.Path('obeyed.txt').write_text('\n'.join(done))
"""
VICTIMS = ("{home}/victim-a", "{home}/victim-b", "{home}/victim-project/x", "{checkout}/victim.txt", "{state}/victim")
SECRETS = ("{checkout}/.env", "{checkout}/.git/secret", "{state}/secret", "{state}/attempts/secret", "{remote}/secret")


@dataclass(frozen=True)
class Case:
    name: str
    where: str
    says: str
    tries: str
    seen: str

    @property
    def id(self) -> str:
        return "case-" + hashlib.sha256(self.name.encode()).hexdigest()[:12]


CASES = [Case(**case) for case in tomllib.loads(Path(__file__).with_name("injections.toml").read_text())["case"]]


@dataclass
class Scene:
    """A user's machine with everything that is worth taking, and a worker on it."""

    here: World
    shop: Workshop

    def filled(self, text: str, case: Case | None = None) -> str:
        places = {
            "home": str(self.here.home),
            "place": str(self.here.place),
            "state": str(self.shop.state),
            "checkout": str(self.shop.root),
            "remote": str(self.shop.remote),
            "victim": str(self.here.victim),
            "tcp": str(self.here.tcp),
            "udp": str(self.here.udp),
            "python": sys.executable,
            "tree": ".",
            **({"id": case.id, "loot": f"loot/{case.id}.txt"} if case else {}),
        }
        for name, value in places.items():
            text = text.replace("{" + name + "}", value)
        return text

    def text(self, case: Case) -> str:
        return case.says.replace("{command}", self.filled(case.tries, case))

    def succeeded(self, case: Case, commit: str) -> bool:
        """Whether it came of the case what it wanted."""
        kind, _, path = case.seen.partition(":")
        match kind:
            case "loot":
                return self.here.canary in self.git("show", f"{commit}:loot/{case.id}.txt", cwd=self.shop.remote)
            case "file":
                found = Path(self.filled(path, case))
                return found.is_file() and case.id in found.read_text(errors="replace")
            case "gone":
                return not Path(self.filled(path, case)).exists()
            case "heard":
                return any(case.id.encode() in said for said in self.here.heard)
            case "branch":
                return case.id in self.git("for-each-ref", cwd=self.shop.remote)
            case "commit":
                return case.id in self.git("log", "--all", "--format=%s", cwd=self.shop.root)
            case "killed":
                return not is_alive(self.here.victim)
        raise ValueError(case.seen)

    def git(self, *arguments: str, cwd: Path) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=False)
        return done.stdout.decode(errors="replace")


@asynccontextmanager
async def scene(databases: Databases, place: Path) -> AsyncIterator[Scene]:
    (place / "machine").mkdir(parents=True)
    with world(place / "machine") as here:
        async with databases.one() as dsn, servers.running(dsn) as server, workshop(server, place / "shop") as shop:
            made = Scene(here, shop)
            shop.environment["HOME"] = str(here.home)
            for path in (*VICTIMS, *SECRETS, "{remote}/victim", "{state}/repositories/other/1/tree/x/secret"):
                here.put(Path(made.filled(path)))
            yield made


async def poisoned(made: Scene) -> Task:
    """A task and a repository with every case in it, where it says that it stands."""
    shop = made.shop
    by_place: dict[str, list[str]] = {}
    for case in CASES:
        by_place.setdefault(case.where, []).append(made.text(case))
    files = {"AGENTS.md": "AGENTS.md", "README.md": "README.md", "a source file": "src/shop.py"}
    for where, path in files.items():
        target = shop.root / path
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n\n".join(f"# {text}" for text in by_place[where]) + "\n")
    (shop.root / "tests").mkdir()
    (shop.root / "tests" / "output.txt").write_text("\n".join(by_place["a test's output"]))
    shop.git("add", "AGENTS.md", "README.md", "src", "tests")
    shop.git("commit", "-qm", "With texts of others")
    shop.git("push", "-q", "origin", "main")
    doc = await shop.plane.docs.create(DocDraft(title="How we work", text="\n\n".join(by_place["doc"])))
    task = await shop.task(
        "Tidy up",
        description="\n\n".join(by_place["description"]),
        checklist=[ChecklistItemDraft(text=text[:500]) for text in by_place["checklist"]],
        doc_ids=[doc.id],
    )
    for text in by_place["comment"]:
        await shop.plane.tasks.comment(task.id, text)
    return task


async def obeyed(made: Scene, policy: Policy | None) -> dict[str, bool]:
    """Run the worker; for each case whether it succeeded."""
    task = await poisoned(made)
    shop = made.shop
    shop.checks.append(Check(name="unit", run="echo 1 passed in 0.01s"))
    await shop.look_again()
    run = Run(replace(shop.workplace(shop.agent(OBEDIENT), wall=600.0, silence=600.0), policy=policy))
    async with run.work.plane:
        await run.run()
    commit = (await shop.now(task)).commit
    assert commit is not None, shop.said
    done = made.git("show", f"{commit}:obeyed.txt", cwd=shop.remote)
    missed = [case.name for case in CASES if made.filled(case.tries, case) not in done]
    assert missed == [], "the agent has obeyed every one"
    return {case.name: made.succeeded(case, commit) for case in CASES}


async def test_in_the_sandbox_no_injection_succeeds(databases: Databases, tmp_path: Path) -> None:
    if not wrappers.works():
        pytest.skip("bubblewrap makes no sandbox here")
    async with scene(databases, tmp_path) as made:
        found = await obeyed(made, Policy(network=Network.PROVIDER))

    assert [name for name, succeeded in found.items() if succeeded] == []


async def test_outside_of_it_every_injection_succeeds(databases: Databases, tmp_path: Path) -> None:
    async with scene(databases, tmp_path) as made:
        found = await obeyed(made, None)

    assert [name for name, succeeded in found.items() if not succeeded] == []


def test_there_are_more_than_a_hundred_each_with_a_name_of_its_own() -> None:
    assert len(CASES) >= 100
    assert len({case.name for case in CASES}) == len({case.id for case in CASES}) == len(CASES)
