"""Texts that people give with a flag, in a file or through a pipe."""

import sys
from pathlib import Path

from locus.local.errors import LocalError, Usage

LONGEST = 1 << 20  # characters; the server's own limits are lower and named when exceeded


def message(text: str | None) -> str | None:
    """The text of a flag; `-` stands for standard input. Raises Usage when it says nothing."""
    if text is None:
        return None
    said = _stdin() if text == "-" else text
    if not said.strip():
        raise Usage("The text is empty.", remedy="Say something, or leave the flag out.")
    return said


def from_file(path: str) -> str:
    """The text of a file; `-` stands for standard input. Raises LocalError."""
    if path == "-":
        return _stdin()
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise LocalError(f"{path} is not UTF-8 text (byte {e.start}).", remedy="Save it as UTF-8.") from e
    except OSError as e:
        raise LocalError(f"{path} cannot be read: {e.strerror or e}.", remedy="Check its name and rights.") from e


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read(4 * LONGEST).decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as e:
        raise LocalError(f"Standard input is not UTF-8 text (byte {e.start}).", remedy="Convert it.") from e
