"""Long text in the person's own editor; what they typed is in a file until it has arrived."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from locus.client.errors import PlaneError
from locus.local import files
from locus.local.directories import directories
from locus.local.errors import LocalError, Usage

# Below it nothing is kept. A comment in Markdown, so that an editor shows it as one.
CUT = "<!-- locus: everything below this line is dropped"


class Draft(Struct, frozen=True):
    """What was written, and the file that holds it until `kept` ends well."""

    text: str
    path: Path


def compose(start: str, *, name: str, hint: str) -> Draft:
    """Let the person write, beginning with `start`; `hint` tells them, below the cut, what is wanted.

    Raises Usage when there is nobody to write or no editor, LocalError when the editor fails or nothing was written.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor and not sys.stdin.isatty():
        raise Usage("There is no terminal to write in.", remedy="Give the text with a flag; see `--help`.")
    path = directories().state / "drafts" / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.md"
    files.write(path, f"{start}\n\n{CUT} -->\n<!-- {hint} -->\n")
    _open(editor or "vi", path)
    text = _above_cut(files.read(path) or "")
    if not text:
        path.unlink(missing_ok=True)
        raise LocalError("Nothing was written, so nothing was changed.")
    return Draft(text, path)


@contextmanager
def kept(draft: Draft | None) -> Iterator[None]:
    """Remove the draft when the block ends well; when it fails, the error names the file that holds the text."""
    try:
        yield
    except (PlaneError, LocalError) as e:
        if draft is not None:
            files.write(draft.path, draft.text + "\n")
            told = f"What you wrote is in {draft.path}."
            e.remedy = f"{e.remedy}\n{told}" if e.remedy else told
        raise
    if draft is not None:
        draft.path.unlink(missing_ok=True)


def split_title(text: str) -> tuple[str, str]:
    """The first line as title (a Markdown # before it is dropped), the rest as description."""
    title, _, rest = text.strip("\n").partition("\n")
    return title.lstrip("#").strip(), rest.strip("\n")


def _above_cut(text: str) -> str:
    return text.partition(CUT)[0].strip("\n").rstrip()


def _open(editor: str, path: Path) -> None:
    try:
        words = shlex.split(editor)
    except ValueError as e:
        raise Usage(f"$VISUAL or $EDITOR cannot be read: {e}.", remedy="Mend its quotes.") from e
    # The terminal belongs to the editor meanwhile: Ctrl+C is its key, not ours. This child is started here and not
    # by locus.local.process, because it must share the terminal.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ended = subprocess.run([*words, str(path)], check=False)
    except OSError as e:
        raise LocalError(f"The editor {words[0]!r} cannot be started: {e.strerror}.", remedy="Set $EDITOR.") from e
    finally:
        signal.signal(signal.SIGINT, before)
    if ended.returncode != 0:
        raise LocalError(
            f"The editor ended with {ended.returncode}, so nothing was changed.", remedy=f"What you wrote is in {path}."
        )
