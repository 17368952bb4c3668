"""Time that passes while a laptop sleeps: the clock that Python waits by stands still then, and a lease does not."""

import sys
import time

from msgspec import Struct

# Of Linux and of macOS. Elsewhere the monotonic clock is the best there is, and a sleep does not show.
_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC if sys.platform == "darwin" else None)


class Moment(Struct, frozen=True):
    """A point in time by three clocks: of the wall, one that goes on in a sleep, and one that does not."""

    wall: float
    boot: float
    awake: float = 0.0

    @classmethod
    def now(cls) -> "Moment":
        awake = time.monotonic()
        return cls(time.time(), time.clock_gettime(_BOOT) if _BOOT is not None else awake, awake)

    def seconds_since(self, earlier: "Moment") -> float:
        """The larger of what the two clocks say: after a sleep, or a clock set back, one of them is too small."""
        return max(self.wall - earlier.wall, self.boot - earlier.boot)

    def asleep_since(self, earlier: "Moment") -> float:
        """For how many seconds of the time since then the machine was asleep; a clock that was set does not count."""
        return max((self.boot - earlier.boot) - (self.awake - earlier.awake), 0.0)
