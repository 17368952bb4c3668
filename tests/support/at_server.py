"""A person who is signed in to a running server. Their `locus` runs beside the server's event loop, not in its way."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pexpect
from tests.support import person as persons
from tests.support.person import Person, Said
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose


class SignedIn:
    """A person with a key; every method runs one command."""

    def __init__(self, person: Person) -> None:
        self.person = person

    async def locus(self, *arguments: str, cwd: Path | None = None) -> Said:
        """Run `locus` to its end."""
        return await asyncio.to_thread(self.person.locus, *arguments, cwd=cwd)

    async def did(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run `locus`, which must succeed, and return what it said."""
        said = await self.locus(*arguments, cwd=cwd)
        assert said.code == 0, f"locus {' '.join(arguments)}: {said}"
        return said.out

    async def told(self, *arguments: str) -> Any:
        """Run `locus … --json`, which must succeed, and return the document."""
        return json.loads(await self.did(*arguments, "--json"))

    async def watched(self, *arguments: str) -> str:
        """Run `locus` at a terminal to its end and return what stands there."""

        def watch() -> str:
            child = self.person.at_terminal(*arguments)
            child.expect(pexpect.EOF)
            child.close()
            assert isinstance(child.before, str)
            return child.before.replace("\r\n", "\n")

        return await asyncio.to_thread(watch)


async def signed_in(server: RunningServer, place: Path, *, purpose: Purpose = Purpose.ADMIN) -> SignedIn:
    """A new person with a key for the server's workspace in their environment."""
    person = persons.new(place)
    person.variables["LOCUS_SERVER"] = server.url
    person.variables["LOCUS_API_KEY"] = await server.key(purpose, workspace=server.workspace)
    return SignedIn(person)
