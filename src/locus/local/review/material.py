"""What a reviewer is shown of a change: each line with its number, cut to a budget, with what was left out by name."""

import json
from collections.abc import Sequence

from msgspec import Struct

from locus.local.git.hunks import FileDiff, Hunk
from locus.local.project import REVIEW_TOKENS

CHARACTERS = 3.5  # of code in a token, about; taken low, so that a change is rather cut than too long
WIDEST = 2000  # characters of a line

WORDS = {"A": "new", "D": "deleted", "M": "changed", "R": "moved", "C": "copied", "T": "of another kind"}


class Material(Struct, frozen=True):
    """The change as text. `shown` are the files in the text as far as they are there; `left_out` are the others."""

    text: str
    shown: tuple[FileDiff, ...]
    left_out: tuple[str, ...]
    tokens: int
    """An estimate."""

    @property
    def whole(self) -> bool:
        return not self.left_out


def material(files: Sequence[FileDiff], *, tokens: int = REVIEW_TOKENS) -> Material:
    """As much of a change as fits: the small files first, so that one large file does not hide all the others."""
    left = int(tokens * CHARACTERS)
    texts: dict[str, str] = {}
    shown: dict[str, FileDiff] = {}
    for file in sorted(files, key=lambda file: (file.changed, file.path)):
        hunks: list[Hunk] = []
        text = _head(file)
        for hunk in file.hunks:
            more = _hunk(hunk)
            if len(text) + len(more) > left:
                break
            text += more
            hunks.append(hunk)
        if len(text) > left or ((file.hunks or file.cut) and not hunks):
            continue
        left -= len(text)
        if file.cut:
            text += "[the rest of this file is left out]\n"
        elif len(hunks) < len(file.hunks):
            text += f"[{len(file.hunks) - len(hunks)} more places in this file are left out]\n"
        texts[file.path] = text
        shown[file.path] = FileDiff(file.path, file.status, tuple(hunks), file.old_path, file.cut)
    whole = {file.path for file in files if _is_whole(file, shown.get(file.path))}
    order = [file.path for file in files if file.path in shown]
    text = "\n".join(texts[path] for path in order)
    return Material(
        text=text,
        shown=tuple(shown[path] for path in order),
        left_out=tuple(file.path for file in files if file.path not in whole),
        tokens=int(len(text) / CHARACTERS),
    )


def _is_whole(file: FileDiff, shown: FileDiff | None) -> bool:
    if shown is None or file.cut or len(shown.hunks) < len(file.hunks):
        return False
    # What stands behind the end of a long line is not shown either.
    return not any(line.old is None and len(line.text) > WIDEST for hunk in file.hunks for line in hunk.lines)


def _head(file: FileDiff) -> str:
    moved = f" from {file.old_path!r}" if file.old_path else ""
    what = f"{WORDS.get(file.status, 'changed')}{moved}"
    name = file.path if file.path.isprintable() else json.dumps(file.path)
    return f"=== {name} ({what}{'' if file.hunks else ', no lines to show'})\n"


def _hunk(hunk: Hunk) -> str:
    rows = []
    for line in hunk.lines:
        number, sign = (line.new, " ") if line.old is not None else (line.new, "+")
        if line.new is None:
            number, sign = line.old, "-"
        text = line.text if len(line.text) <= WIDEST else line.text[:WIDEST] + " […]"
        rows.append(f"{number:>6} {sign}{text}")
    return "\n".join([*rows, "  …\n"])
