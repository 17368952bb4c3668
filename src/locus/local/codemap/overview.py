"""What a codebase consists of: languages, modules, where it begins, its tests, and who works on what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from locus.local.codemap.draw import shown
from locus.local.codemap.entries import EntryPoint, entry_points
from locus.local.codemap.languages import BY_NAME, language_of
from locus.local.codemap.refresh import files_of
from locus.local.codemap.store import Store
from locus.local.evidence.protected import touched
from locus.local.known_files import TEST_FILES

MOST_MODULES = 40


class Part(Struct):
    """A language, or a module: a folder with code. `owner` has the most of its newest commits, `share` of them."""

    name: str
    files: int = 0
    lines: int = 0
    definitions: int = 0
    tests: int = 0
    owner: str | None = None
    share: float | None = None


class Overview(Struct, frozen=True):
    """All of it, with names as they may be shown. `unread` counts files known by their names alone, by the reason."""

    files: int
    lines: int
    definitions: int
    tests: int
    languages: Sequence[Part]
    modules: Sequence[Part]
    more_modules: int
    entry_points: Sequence[EntryPoint]
    unread: Mapping[str, int] = field(default_factory=dict)


def overview(
    store: Store, root: Path, owners: Mapping[str, Counter[str]], *, tests: Sequence[str] = TEST_FILES
) -> Overview:
    """Describe the tree at `root` as the index has it; `tests` are the patterns of test files."""
    files = files_of(store, root)
    counts = store.counts(file.content for file in files if file.content is not None)
    code = [file.path for file in files if language_of(file.path) in BY_NAME]
    testing = set(touched(code, tests))
    languages: dict[str, Part] = {}
    modules: dict[str, Part] = {}
    commits: dict[str, Counter[str]] = {}
    unread: Counter[str] = Counter()
    for file in files:
        lines, defined, note = counts.get(file.content, (0, 0, None)) if file.content is not None else (0, 0, file.note)
        if note is not None:
            unread[note] += 1
        language = language_of(file.path)
        if language is None:
            continue
        parts = [languages.setdefault(language, Part(language))]
        if language in BY_NAME:
            folder = file.path.rpartition("/")[0] or "."
            parts.append(modules.setdefault(folder, Part(shown(folder))))
            commits.setdefault(folder, Counter()).update(owners.get(file.path, {}))
        for part in parts:
            part.files += 1
            part.lines += lines
            part.definitions += defined
            part.tests += file.path in testing
    for folder, part in modules.items():
        if counted := commits[folder].most_common(1):
            part.owner, part.share = shown(counted[0][0]), counted[0][1] / commits[folder].total()
    largest = _largest(modules.values())
    return Overview(
        files=len(files),
        lines=sum(part.lines for part in languages.values()),
        definitions=sum(part.definitions for part in languages.values()),
        tests=len(testing),
        languages=_largest(languages.values()),
        modules=sorted(largest[:MOST_MODULES], key=lambda part: part.name),
        more_modules=max(0, len(largest) - MOST_MODULES),
        entry_points=[
            EntryPoint(shown(entry.path), shown(entry.starts), entry.declared)
            for entry in entry_points(root, [file.path for file in files])
        ],
        unread=dict(unread.most_common()),
    )


def _largest(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (-part.lines, part.name))
