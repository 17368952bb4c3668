"""What would leave this machine: told before it does, and refused when it holds a secret."""

from pathlib import Path

from msgspec import Struct

from locus.local.docs.form import Content
from locus.local.evidence import secrets
from locus.local.files import read
from locus.local.git.lines import FileLines


class Leaving(Struct, frozen=True):
    """One doc as it would be sent. The path is told to the person and to nobody else."""

    path: str
    content: Content
    deleted: bool = False

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return 0 if self.deleted else len(self.content.text.encode())


def secrets_in(leaving: Leaving, root: Path) -> list[str]:
    """Where secrets seem to stand in what would leave, never what they are.

    Those that the project's own list accepts are none.
    """
    content = leaving.content
    lines = [(0, content.title), (0, content.group), *enumerate(content.text.splitlines(), start=1)]
    found = secrets.scan([FileLines(leaving.path, added=lines)], baseline=read(root / secrets.BASELINE))
    return [str(finding) for finding in found]
