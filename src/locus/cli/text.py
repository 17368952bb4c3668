"""The small words of the look, for a terminal: those that a phone says too, and styles."""

from locus.local.text import (
    BARS as BARS,
    GLYPHS as GLYPHS,
    WORDS as WORDS,
    ago as ago,
    duration as duration,
    safe as safe,
)
from locus.wire.tasks import Status

# The five meanings of the look, as names of rich styles.
STYLES: dict[Status, str] = {
    Status.BACKLOG: "",
    Status.IN_PROGRESS: "blue",
    Status.IN_REVIEW: "magenta",
    Status.DONE: "green",
    Status.BLOCKED: "yellow",
}
