"""What stays of an attempt on this machine: the prompts, what the agent printed, what the checks printed."""

import glob
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import UUID

import msgspec

from locus.local import files
from locus.local.evidence.checks import CheckResult
from locus.local.evidence.kept import folder

SESSION = "session.json"


class Remembered(msgspec.Struct, kw_only=True):
    """The conversation in which the work of an attempt was done. `slot` is where; None is the user's checkout."""

    provider: str
    session: str
    slot: str | None
    fence: int
    model: str | None = None
    sandboxed: bool = False
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None


def remembered(state: Path, workspace_id: UUID, key: str) -> Remembered | None:
    """The conversation of the newest attempt at a task that this machine made and remembers."""
    place = folder(state, workspace_id, key, 0).parent
    numbers = [path.parent.name for path in place.glob(f"*/{SESSION}")] if place.is_dir() else []
    for fence in sorted((int(number) for number in numbers if number.isdigit()), reverse=True):
        text = files.read_private(place / str(fence) / SESSION)
        try:
            return msgspec.json.decode(text or "", type=Remembered)
        except msgspec.DecodeError:
            continue
    return None


class Records:
    """The folder of one attempt, readable by its owner only."""

    def __init__(self, state: Path, workspace_id: UUID, key: str, fence: int) -> None:
        self.place = folder(state, workspace_id, key, fence)
        for place in reversed([self.place, *self.place.parents[:3]]):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._transcript: IO[bytes] | None = None

    def prompt(self, round_number: int, text: str, *, of: str | None = None) -> None:
        """Keep what an agent was told; `of` names one that is not the attempt's own."""
        self._write(f"{of + '-' if of else ''}prompt-{round_number}.md", text.encode("utf-8", "replace"))

    def session(self, remembered: Remembered) -> None:
        """Keep who did the work in which conversation, for what is said about it later."""
        self._write(SESSION, msgspec.json.encode(remembered))

    def check(self, result: CheckResult) -> None:
        """Keep what a check printed, beside what it printed in earlier rounds."""
        round_number = len(list(self.place.glob(f"check-{glob.escape(result.check.name)}-*.log")))
        self._write(f"check-{result.check.name}-{round_number}.log", result.output.encode("utf-8", "replace"))

    def line(self, raw: bytes) -> None:
        """Add one line to the transcript, as the agent printed it."""
        if self._transcript is None:
            self._transcript = self._open("transcript.jsonl")
        self._transcript.write(raw)
        self._transcript.flush()

    def close(self) -> None:
        if self._transcript is not None:
            with suppress(OSError):  # of a full disk was told when a line did not go there
                self._transcript.close()
            self._transcript = None

    def _write(self, name: str, data: bytes) -> None:
        with self._open(name) as file:
            file.write(data)

    def _open(self, name: str) -> IO[bytes]:
        path = self.place / name
        path.touch(mode=0o600)
        return path.open("wb")
