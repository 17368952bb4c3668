"""A provider that asks no model: its agents do again, one after the other, what a recording has of them."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from locus.local.errors import LocalError
from locus.local.process import base_environment
from locus.local.providers.base import Ask, Reader
from locus.local.providers.table import PROVIDERS
from locus.local.replay import play
from locus.local.replay.recording import Recording
from locus.local.sandbox import Needs, reaching


@dataclass
class Player:
    """Plays a recording. `speed` divides the time that passed between two lines; 0 leaves no time between them.

    What the agents print is read by the provider that was recorded, and the runs count as its own.
    """

    recording: Recording
    speed: float = 0.0
    played: int = field(default=0, init=False)

    MODELS_HINT: ClassVar[str] = "none: no model is asked"
    FIRST_SIGNAL: ClassVar[signal.Signals] = signal.SIGTERM
    VERSION: ClassVar[tuple[str, ...]] = ()
    SIGNED_IN: ClassVar[tuple[str, ...]] = ()
    ASKS: ClassVar[bool] = False

    def __post_init__(self) -> None:
        name = self.recording.heading.provider
        if name not in PROVIDERS:
            raise LocalError(f"The recording is of {name}, which this Locus does not know.", remedy="Upgrade.")
        self._recorded = PROVIDERS[name]

    @property
    def NAME(self) -> str:  # noqa: N802
        return self._recorded.NAME

    @property
    def COUNTS(self) -> bool:  # noqa: N802
        return self._recorded.COUNTS

    def locate(self, environment: Mapping[str, str]) -> Path:
        takes = len(self.recording.takes)
        if self.played >= takes:
            raise LocalError(
                f"The recording has {takes} {'run' if takes == 1 else 'runs'} of an agent, and all were played.",
                remedy="Give the sprint as many tasks as were recorded, or stop in time: --max-tasks N",
            )
        return Path(sys.executable)

    def command(self, ask: Ask, binary: Path) -> list[str]:
        number, self.played = self.played, self.played + 1
        return [str(binary), "-B", str(Path(play.__file__)), str(self.recording.path), str(number), f"{self.speed:g}"]

    def opening(self, ask: Ask) -> bytes:
        return ask.prompt.encode(errors="replace")

    def environment(self, ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
        return base_environment(inherited)

    def needs(self, environment: Mapping[str, str]) -> Needs:
        return Needs(read=(self.recording.path, Path(play.__file__), *reaching(Path(sys.executable))))

    def reader(self, ask: Ask, environment: Mapping[str, str]) -> Reader:
        return self._recorded.reader(ask, environment)
