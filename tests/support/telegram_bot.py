"""A bot at work: `locus telegram run` as a process of its own, against Telegram's stub and the real server."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import person as persons
from tests.support.nowhere import Nowhere
from tests.support.person import Person, Said
from tests.support.polling import until
from tests.support.server import RunningServer
from tests.support.telegram import TOKEN, BotApi
from tests.support.telegram_phone import Phone

from locus.client.plane import ControlPlane
from locus.wire.sprints import Sprint, SprintDraft
from locus.wire.tasks import Task, TaskDraft
from locus.wire.workspaces import Purpose

CONFIG = """
[checks.unit]
run = "echo 3 passed in 0.01s; test ! -e red"

[checks.slow]
run = "sleep 600"
always = false
"""


@dataclass
class Rig:
    """Somebody's machine with a repository, a bot that is set up, and a phone on its list."""

    person: Person
    api: BotApi
    phone: Phone
    plane: ControlPlane
    sprint: Sprint
    key: str
    bot: subprocess.Popen[bytes] | None = None
    logs: list[Path] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.person.home / "shop"

    async def locus(self, *arguments: str, stdin: str | None = None) -> Said:
        """Run `locus` in the repository to its end."""

        def run() -> Said:
            done = subprocess.run(
                persons.command(*arguments),
                cwd=self.root,
                env=self.person.environment(),
                input=(stdin or "").encode(),
                capture_output=True,
                timeout=90,
                check=False,
            )
            return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

        return await asyncio.to_thread(run)

    async def start(self, *arguments: str) -> None:
        """Start the bot and wait until it asks for updates, or has said where to bring them."""
        known = len(self.api.named("getUpdates", "getWebhookInfo"))
        log = self.person.place / f"bot{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("wb") as out:
            self.bot = subprocess.Popen(
                persons.command("telegram", "run", *arguments),
                cwd=self.person.home,
                env=self.person.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        await self.api.until(lambda: len(self.api.named("getUpdates", "getWebhookInfo")) > known or self.ended())
        assert not self.ended(), log.read_text()

    def ended(self) -> bool:
        return self.bot is not None and self.bot.poll() is not None

    async def end(self, number: int = signal.SIGTERM) -> int:
        """End the bot by a signal and return its exit code."""
        assert self.bot is not None
        bot, self.bot = self.bot, None
        if bot.poll() is None:
            bot.send_signal(number)
        return await asyncio.to_thread(bot.wait, 60)

    async def task(self, title: str, **fields: object) -> Task:
        """A new task in the active sprint."""
        return await self.plane.tasks.create(TaskDraft(title=title, sprint_id=self.sprint.id, **fields))  # type: ignore[arg-type]

    async def becomes(self, task: Task, status: str, *, limit: float = 60.0) -> Task:
        """Wait until the task has this status."""

        async def there() -> bool:
            return (await self.plane.tasks.get(task.id)).status == status

        await until(there, limit=limit)
        return await self.plane.tasks.get(task.id)

    def agent(self, script: str) -> None:
        """Make a shell script the agent; it is read when a run starts."""
        self.person.program("agent", script)

    def files(self) -> list[Path]:
        """Every file that the bot and its jobs have written in the person's home."""
        return [path for path in self.person.home.rglob("*") if path.is_file()]


@asynccontextmanager
async def rig(place: Path, server: RunningServer, *, listed: bool = True) -> AsyncIterator[Rig]:
    """A machine whose bot is set up and not started yet."""
    person = persons.new(place)
    person.repository("shop")
    root = person.home / "shop"
    (root / ".locus").mkdir()
    (root / ".locus" / "config.toml").write_text(CONFIG)
    person.git("add", ".", cwd=root)
    person.git("commit", "-qm", "Checks", cwd=root)
    person.git("push", "-q", cwd=root)
    key = await server.key(Purpose.ADMIN, workspace=server.workspace)
    person.variables.update(
        LOCUS_SERVER=server.url,
        LOCUS_API_KEY=key,
        LOCUS_PROVIDER="command",
        LOCUS_AGENT_COMMAND=str(person.bin / "agent"),
        LOCUS_FORGE="none",
    )
    config = person.home / ".config" / "locus"
    config.mkdir(parents=True, mode=0o700)
    (config / "settings.toml").write_text("consent = true\n")
    (config / "settings.toml").chmod(0o600)
    with BotApi() as api:
        phone = Phone(api)
        account = {
            "version": 1,
            "token": TOKEN,
            "bot": "locus_test_bot",
            "api": api.url,
            "people": [{"user": phone.user, "chat": phone.user, "name": phone.name}] if listed else [],
            "projects": [{"name": "shop", "root": str(root)}],
            "switches": [],
        }
        (config / "telegram.json").touch(mode=0o600)
        (config / "telegram.json").write_text(json.dumps(account))
        async with ControlPlane(server.url, key, server.workspace.id, egress=Nowhere()) as plane:
            sprint = await plane.sprints.start((await plane.sprints.create(SprintDraft(name="First"))).id)
            made = Rig(person, api, phone, plane, sprint, key)
            made.agent("cat > /dev/null; echo done > one.txt")
            try:
                yield made
            finally:
                if made.bot is not None:
                    await made.end()
