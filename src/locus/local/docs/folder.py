"""`.locus/documents/` of a checkout: the one folder in which docs become files, and nothing that is not a file.

Agents write in this tree, and strangers name docs. So every step to the folder and every file in it is opened without
following a link, names are made of ids alone, and what is written takes its place whole.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from locus.local.errors import LocalError

FOLDER = Path(".locus", "documents")
CONTENTS = "README.md"
IGNORE = ".gitignore"
LARGEST = 5 << 20  # bytes of a file; a doc has at most a million characters
DOC = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.theirs)?\.md")
TEMPORARY = re.compile(r"\.[0-9a-f]{16}")
IGNORED = "# Docs belong to the control plane: `locus docs sync` brings them, and no commit needs them.\n*\n"


class UnsafeFile(LocalError):
    """What stands where a doc belongs is no plain file of its own."""


def name_of(doc_id: UUID, *, theirs: bool = False) -> str:
    """The name of a doc's file; with `theirs`, of what the control plane has when both sides changed it."""
    return f"{doc_id}{'.theirs' if theirs else ''}.md"


class Documents:
    """The folder. Names are single ones, without a folder in them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def exists(self) -> bool:
        """Whether the folder is there. Raises UnsafeFile when something else is."""
        with self._open(make=False) as folder:
            return folder is not None

    def names(self) -> list[str]:
        """Everything in the folder that could be a doc: Markdown files, and what stands in for one."""
        with self._open(make=False) as folder:
            found = [] if folder is None else os.listdir(folder)  # noqa: PTH208  # by descriptor: its path may lead away
        return sorted(name for name in found if name.lower().endswith(".md") and not name.startswith("."))

    def read(self, name: str) -> str | None:
        """What a file says, to the letter; None when there is none. Raises UnsafeFile."""
        with self._open(make=False) as folder:
            if folder is None:
                return None
            try:
                handle = os.open(_plain(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            except FileNotFoundError:
                return None
            except OSError as e:
                raise _unsafe(name, "is a link, or cannot be read") from e
            try:
                return text_of(handle, str(FOLDER / name))
            finally:
                os.close(handle)

    def write(self, name: str, text: str) -> None:
        """Put a file into its place, whole or not at all. Raises UnsafeFile and LocalError."""
        with self._open(make=True) as folder:
            assert folder is not None
            self._refuse_others(folder, name)
            temporary = f".{secrets.token_hex(8)}"
            try:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
                with os.fdopen(handle, "wb") as file:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError as e:
                _remove(temporary, folder)
                raise LocalError(
                    f"{FOLDER / name} cannot be written: {e.strerror or e}.", remedy="Check its rights and the disk."
                ) from e

    def make_ready(self, name: str | None = None) -> None:
        """Make the folder where there is none, and see that `name` can be written. Raises UnsafeFile and LocalError."""
        with self._open(make=True) as folder:
            assert folder is not None
            if name is not None:
                self._refuse_others(folder, name)

    def tidy(self) -> None:
        """Remove what somebody left who was killed before a file took its place."""
        with self._open(make=False) as folder:
            if folder is not None:
                for name in os.listdir(folder):  # noqa: PTH208  # by descriptor: its path may lead away
                    if TEMPORARY.fullmatch(name):
                        _remove(name, folder)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises UnsafeFile."""
        with self._open(make=False) as folder:
            if folder is not None:
                self._refuse_others(folder, name)
                _remove(name, folder)

    def _refuse_others(self, folder: int, name: str) -> None:
        """Raise UnsafeFile when `name` is anything else than a plain file, or another one where case does not count."""
        name = _plain(name)
        for other in os.listdir(folder):
            if other != name and other.casefold() == name.casefold():
                raise _unsafe(other, f"has the name of {name} in other letters")
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode):
            raise _unsafe(name, "is no plain file")

    @contextmanager
    def _open(self, *, make: bool) -> Iterator[int | None]:
        """The folder's descriptor; None when it is not there. No link on the way is followed."""
        opened = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in FOLDER.parts:
                if make:
                    made = _make(part, opened)
                try:
                    deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
                except FileNotFoundError:
                    yield None
                    return
                except OSError as e:
                    raise LocalError(
                        f"{FOLDER} is not a folder of this repository: {part} is a link or a file.",
                        remedy="Move it away and run it again.",
                    ) from e
                os.close(opened)
                opened = deeper
            if make and made:
                with os.fdopen(
                    os.open(IGNORE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=opened), "w"
                ) as file:
                    file.write(IGNORED)
            yield opened
        finally:
            os.close(opened)


def text_of(handle: int, shown: str) -> str:
    """The text of an open file. Raises UnsafeFile for what is none, large, or a second name of another file."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeFile(f"{shown} is no plain file.")
    if found.st_nlink > 1:
        raise UnsafeFile(f"{shown} is the same file as another one (a hard link).", remedy="Replace it by a copy.")
    with os.fdopen(os.dup(handle), "rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise UnsafeFile(f"{shown} is larger than {LARGEST >> 20} MiB.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise UnsafeFile(f"{shown} is not UTF-8 text (byte {e.start}).", remedy="Save it as UTF-8.") from e


def _make(part: str, parent: int) -> bool:
    try:
        os.mkdir(part, 0o755, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _plain(name: str) -> str:
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise _unsafe(name, "is not the name of a file there")
    return name


def _unsafe(name: str, why: str) -> UnsafeFile:
    return UnsafeFile(f"{FOLDER / name} {why}.", remedy="Move it away and run it again.")
