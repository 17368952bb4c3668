"""Consecutive releases of public packages, as their registries have them: what was changed, and what was said of it.

A release is a change that people made and described, with the files that it touched: what `locus index` is asked to
find. Packages come by the registries' own clients, pip and npm, once; they are kept below `.tools/bench`.
"""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PLACE = Path(__file__).parents[1] / ".tools" / "bench" / "releases"
CODE = (".py", ".js", ".mjs", ".cjs", ".ts")
MOST_CHANGED = 20  # files; a release that touches more is many changes, and no list of twenty could have them
LEAST_WORDS = 3  # of a description


@dataclass(frozen=True)
class Package:
    """A package, and by a pattern the releases that count. `changelog` is where it says what each one changed.

    A wheel has no changelog, so that of PyPI's packages is looked for in the source distribution of `told_by`; in its
    path, {version} stands for the release, and {series} for that without its last number.
    """

    name: str
    versions: str
    changelog: str
    told_by: str | None = None

    @property
    def from_pypi(self) -> bool:
        return self.told_by is not None


@dataclass(frozen=True)
class Change:
    """A release after another: the tree before, what was said, and which of its files are others afterwards."""

    package: str
    language: str
    version: str
    before: Path
    said: str
    changed: frozenset[str]


PACKAGES: tuple[Package, ...] = (
    Package("Django", r"(4\.[12]|5\.[01])(\.\d+)?", "docs/releases/{version}.txt", told_by="5.2.8"),
    Package("Sphinx", r"7\.[234]\.\d+", "CHANGES.rst", told_by="8.0.2"),
    Package("wagtail", r"(5\.2|6\.0|6\.1)(\.\d+)?", "CHANGELOG.txt", told_by="6.1.2"),
    Package("ansible-core", r"2\.16\.\d+", "changelogs/CHANGELOG-v2.16.rst", told_by="2.16.14"),
    Package("eslint", r"[67]\.\d+\.\d+", "CHANGELOG.md"),
    Package("serverless", r"2\.\d+\.\d+", "CHANGELOG.md"),
    Package("knex", r"[12]\.\d+\.\d+", "CHANGELOG.md"),
    Package("eslint-plugin-react", r"7\.(1?\d|20)\.\d+", "CHANGELOG.md"),
)
DJANGO = Package("Django", r"5\.2", "", told_by="5.2")  # whose whole source the speed is measured on
# By these the weights of the ranking were chosen; none of the published figures is theirs.
FOR_TUNING: tuple[Package, ...] = (
    Package("pylint", r"3\.[23]\.\d+", "doc/whatsnew/3/{series}/index.rst", told_by="3.3.4"),
    Package("celery", r"5\.[345]\.\d+", "Changelog.rst", told_by="5.5.3"),
    Package("jsdom", r"16\.\d+\.\d+", "Changelog.md"),
    Package("stylelint", r"13\.\d+\.\d+", "CHANGELOG.md"),
)


def changes(packages: Sequence[Package] = PACKAGES) -> Iterator[Change]:
    """The releases that touch files which were there before, with what was said of them; not those that touch many."""
    for package in packages:
        trees = [(version, tree) for version in _versions(package) if (tree := _tree(package, version)) is not None]
        for (_, before), (version, after) in pairwise(trees):
            changed = frozenset(path for path, content in _code(before) if _content(after / path) != content)
            said = section(_changelog(package, version, after), version)
            if 0 < len(changed) <= MOST_CHANGED and len(said.split()) >= LEAST_WORDS:
                language = "Python" if package.from_pypi else "JavaScript"
                yield Change(package.name, language, version, before, said, changed)


def section(changelog: str, version: str) -> str:
    """What a changelog says of one version, without addresses and hashes, which nobody would write into a task."""
    lines = changelog.splitlines()
    begin = next((at for at in range(len(lines)) if _heads(lines, at) == version), None)
    if begin is None:
        return ""
    end = next((at for at in range(begin + 1, len(lines)) if _heads(lines, at) not in (None, version)), len(lines))
    text = "\n".join(lines[begin + 1 : end])
    text = re.sub(r"\(?https?://\S+", " ", text)
    return re.sub(r"\b[0-9a-f]{7,40}\b|\d{4}-\d\d-\d\d", " ", text).strip()


def _heads(lines: Sequence[str], at: int) -> str | None:
    """The version that a line is the heading of."""
    found = re.match(r"(#+ |Release |What's new in Pylint |Django )?\[?v?(\d+\.\d+(?:\.\d+)?)\b", lines[at])
    if found is None:
        return None
    underlined = at + 1 < len(lines) and re.fullmatch(r"([=~*-])\1{3,}", lines[at + 1].strip()) is not None
    plain = re.match(r"v\d+\.\d+\.\d+ - ", lines[at]) is not None
    return found[2] if underlined or plain or lines[at].startswith("#") else None


def _changelog(package: Package, version: str, after: Path) -> str:
    place = source(package) if package.from_pypi else after
    name = package.changelog.format(version=version, series=version.rpartition(".")[0])
    text = (_content(place / name) or b"").decode("utf-8", "replace") if place is not None else ""
    if "{version}" in package.changelog:  # a file for each: its own heading is the only one
        return f"# {version}\n{text}"
    return text


def _code(tree: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(tree.rglob("*")):
        if file.suffix in CODE and file.is_file() and not file.is_symlink():
            yield file.relative_to(tree).as_posix(), file.read_bytes()


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _tree(package: Package, version: str) -> Path | None:
    """The files of a release; None when the registry does not have it."""
    place = PLACE / package.name / version
    if not place.exists():
        client = from_pypi if package.from_pypi else _from_npm
        client(package.name, version, place)
    return place if any(place.iterdir()) else None


def source(package: Package) -> Path | None:
    """The source distribution of a package of PyPI; None when it is not to be had."""
    place = PLACE / package.name / f"source-{package.told_by}"
    if not place.exists():
        from_pypi(package.name, package.told_by or "", place, kind="--no-binary")
    return next(place.iterdir(), None)


def from_pypi(name: str, version: str, place: Path, *, kind: str = "--only-binary") -> None:
    """Put the files of a release into `place`; nothing when PyPI does not have it."""
    fetched = _fetched(place)
    command = ["pip", "download", "--quiet", "--no-deps", kind, ":all:", "-d", fetched, f"{name}=={version}"]
    subprocess.run([_python_with_pip(), "-m", *command], check=False, capture_output=True)
    for archive in fetched.glob("*.*"):
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(fetched / "tree")
        else:
            _untar(archive, fetched / "tree")
    _put(fetched / "tree", place)


def _from_npm(name: str, version: str, place: Path) -> None:
    fetched = _fetched(place)
    subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=fetched, check=False, capture_output=True)
    for archive in fetched.glob("*.tgz"):
        _untar(archive, fetched / "tree")
    inside = fetched / "tree" / "package"
    _put(inside if inside.exists() else fetched / "tree", place)


def _versions(package: Package) -> list[str]:
    """The releases that count, oldest first, as the registry lists them."""
    kept = PLACE / package.name / "versions.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        if package.from_pypi:
            said = _ask(_python_with_pip(), "-m", "pip", "index", "versions", package.name)
            found = re.findall(r"\d[\w.]*", said.partition("Available versions:")[2].partition("\n")[0])
        else:
            found = json.loads(_ask("npm", "view", package.name, "versions", "--json"))
        kept.write_text(json.dumps(found))
    counting = [version for version in json.loads(kept.read_text()) if re.fullmatch(package.versions, version)]
    return sorted(counting, key=lambda version: [int(number) for number in version.split(".")])


def _ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _python_with_pip() -> str:
    """The Python that set this environment up: the environment itself has no pip."""
    return str(next((PLACE.parents[1]).glob("uv-*/bin/python"), sys.executable))


def _fetched(place: Path) -> Path:
    folder = place.with_name(place.name + ".fetching")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tree").mkdir(parents=True)
    return folder


def _untar(archive: Path, place: Path) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")


def _put(tree: Path, place: Path) -> None:
    for folder in tree.glob("*.dist-info"):
        shutil.rmtree(folder)
    tree.rename(place)
    shutil.rmtree(place.with_name(place.name + ".fetching"), ignore_errors=True)
