"""A map of the codebase that fits into a prompt: folders, files by kind, and the files that tell what a folder is."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_CHARACTERS = 4_000
LANDMARKS = {
    "README.md", "README.rst", "pyproject.toml", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle",
    "Makefile", "Dockerfile", "setup.py", "tsconfig.json", "CMakeLists.txt", "manage.py", "main.py", "__main__.py",
    "index.ts", "index.js", "main.go", "main.rs", "lib.rs",
}  # fmt: skip


def codebase_map(paths: Iterable[str], *, limit: int = MAX_CHARACTERS) -> str:
    """Draw the folders of a repository, a line each, the shallow ones first, within `limit` characters.

    `paths` are the tracked files, with `/` between folders. When not everything fits, the last line says how many
    folders were left out.
    """
    kinds: dict[PurePosixPath, Counter[str]] = defaultdict(Counter)
    landmarks: dict[PurePosixPath, list[str]] = defaultdict(list)
    for path in map(PurePosixPath, paths):
        kinds[path.parent][path.suffix.lstrip(".") or path.name] += 1
        if path.name in LANDMARKS:
            landmarks[path.parent].append(path.name)
    folders = sorted(kinds, key=lambda folder: (len(folder.parts), str(folder)))

    lines: list[str] = []
    used = 0
    for shown, folder in enumerate(folders):
        line = _line(folder, kinds[folder], sorted(landmarks[folder]))
        if used + len(line) + 1 > limit:
            lines.append(f"… and {len(folders) - shown} more folders")
            break
        lines.append(line)
        used += len(line) + 1
    return "\n".join(lines)


def _line(folder: PurePosixPath, kinds: Counter[str], landmarks: list[str]) -> str:
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    name = "./" if folder == PurePosixPath(".") else f"{folder}/"
    return f"{name}  {counted}" + (f"  ({', '.join(landmarks)})" if landmarks else "")
