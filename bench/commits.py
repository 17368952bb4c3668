"""Commits of public Python and JavaScript projects: patches that Debian's security archive carries in source packages.

Each is a commit of the project itself, with its author's words, on top of a release and of the patches before it.
The archive is the one that this machine's own apt is set up for; a machine without apt has none.
"""

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.releases import CODE, LEAST_WORDS, MOST_CHANGED, Change, from_pypi

PLACE = Path(__file__).parents[1] / ".tools" / "bench" / "commits"
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
HELPER = Path("/usr/lib/apt/apt-helper")
SUITES = ("bullseye-security", "bookworm-security", "trixie-security")


@dataclass(frozen=True)
class Project:
    """A source package, and the name of its releases on PyPI where the archive may have its patches alone."""

    name: str
    on_pypi: str | None = None
    language: str = "Python"


PROJECTS = (
    *map(Project, ("python3.9", "calibre", "python-urllib3", "ironic", "starlette", "lxml", "python-tornado", "swift")),
    *map(Project, ("python-aiohttp", "neutron", "pyasn1", "jinja2", "designate", "pyjwt", "python-httplib2")),
    *(Project("glance", "glance"), Project("pillow", "Pillow"), Project("python-authlib", "Authlib")),
    *(Project("nova", "nova"), Project("twisted", "Twisted")),
    *(Project("nodejs", language="JavaScript"), Project("node-tar", language="JavaScript")),
)
# A patch that somebody took from the project says so: by the commit, or by its origin.
TAKEN = re.compile(
    r"^From [0-9a-f]{40} |\bcommit[/: ]+[0-9a-f]{7,40}|\b[0-9a-f]{40}\b|^Origin: *(?:upstream|backport|https?:)", re.M
)
# What a header has beside the author's words: who, when, from where, and which files.
FIELD = re.compile(r"^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)*:(?: |$)|From [0-9a-f]{40} |\(cherry picked from|\[.*\]$)")
ITS_WORDS = re.compile(r"^(?:Subject|Description): *(?:\[PATCH[^\]]*\] *)?")


def commits(projects: Sequence[Project] = PROJECTS) -> Iterator[Change]:
    """The commits that touch code which was there before, and not much of it.

    The tree of one is as it was before it until the next one is asked for.
    """
    if not projects or shutil.which("apt-get") is None or not HELPER.exists() or not KEYS.exists():
        return
    seen: set[tuple[str, str]] = set()
    for project, version in _versions(projects):
        with TemporaryDirectory(prefix="locus-bench-") as place:
            for change in of_package(_fetched(project.name, version), Path(place), project):
                if (change.package, change.said) not in seen:  # several suites carry the same one
                    seen.add((change.package, change.said))
                    yield change


def words(header: str) -> str:
    """What the author of a patch says of it, without addresses, hashes and the names of its files."""
    said = []
    for line in header.splitlines():
        if match := ITS_WORDS.match(line):
            said.append(line[match.end() :])
        elif not FIELD.match(line) and not re.match(r"\s*\S+\s+\|\s+(?:\d+|Bin)", line) and line[:1] not in "#\t":
            said.append(line.strip(" ."))
    text = re.sub(r"\(?https?://\S+", " ", "\n".join(said))
    return re.sub(r"\b[0-9a-f]{7,40}\b", " ", text).strip()


def of_package(folder: Path, place: Path, project: Project) -> Iterator[Change]:
    """The commits in a `folder` with the archives of one version of a source package; `place` is for its tree."""
    debian = next(folder.glob("*.debian.tar.*"), None)
    tree = None if debian is None else _released(folder, place / "unpacked", project)
    if debian is None or tree is None:
        return
    _untar(debian, place / "packaging")
    patches = place / "packaging" / "debian" / "patches"
    series = patches / "series"
    for line in series.read_text().splitlines() if series.is_file() else ():
        patch = patches / (line.split() or ["#"])[0]
        if not patch.is_file():
            continue
        text = patch.read_text(errors="replace")
        header = re.split(r"^(?:---|diff |Index:)", text, maxsplit=1, flags=re.M)[0]
        touched = re.findall(r"^\+\+\+ [^/\s]+/(\S+)", text, re.M)
        changed = frozenset(path for path in touched if path.endswith(CODE) and (tree / path).is_file())
        said = words(header)
        if TAKEN.search(header) and 0 < len(changed) <= MOST_CHANGED and len(said.split()) >= LEAST_WORDS:
            yield Change(project.name, project.language, patch.name, tree, said, changed)
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", patch],
            cwd=tree,
            env={"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(place)},
            check=False,
            capture_output=True,
        )


def _released(folder: Path, place: Path, project: Project) -> Path | None:
    """The tree of the release below the patches: Debian's copy, or that of PyPI; None when nobody has it."""
    if archive := next((file for file in folder.glob("*.orig.tar.*") if file.suffix != ".asc"), None):
        _untar(archive, place)
    elif project.on_pypi is not None:
        kept = folder / "release"
        if not kept.exists():
            version = re.sub(r"^\d+:|[-+~].*", "", folder.name)
            from_pypi(project.on_pypi, version, kept, kind="--no-binary")
        shutil.copytree(kept, place)
    inside = list(place.iterdir()) if place.exists() else []
    return None if not inside else inside[0] if len(inside) == 1 else place


def _versions(projects: Sequence[Project]) -> list[tuple[Project, str]]:
    """The versions of these source packages that the archive lists."""
    if not (lists := PLACE / "apt" / "lists").exists():
        lists.mkdir(parents=True)
        _apt("update")
    listed: dict[str, set[str]] = {project.name: set() for project in projects}
    for file in _apt("indextargets", "--format", "$(FILENAME)", "Created-By: Sources").split():
        text = subprocess.run([HELPER, "cat-file", file], check=False, capture_output=True, text=True).stdout
        for stanza in text.split("\n\n"):
            field = dict(re.findall(r"^(Package|Version): (.+)$", stanza, re.M))
            if field.get("Package") in listed:
                listed[field["Package"]].add(field["Version"])
    return [(project, version) for project in projects for version in sorted(listed[project.name])]


def _fetched(name: str, version: str) -> Path:
    """A folder with the archives of a source package, as far as they are to be had."""
    folder = PLACE / name / version
    if not folder.exists():
        folder.mkdir(parents=True)
        _apt("source", "--download-only", f"{name}={version}", where=folder)
    return folder


def _apt(*arguments: str, where: Path = Path("/")) -> str:
    """Ask apt, with lists of its own, for the sources of the security archive that it is set up for."""
    own = PLACE / "apt"
    archive = own / "archive.sources"
    if not archive.exists():
        asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
        known = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.splitlines()
        security = [line.split()[0] for line in known if line.split()[1:] and line.split()[1].endswith("-security")]
        (own / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        archive.write_text(
            f"Types: deb-src\nURIs: {' '.join(sorted(set(security)))}\nSuites: {' '.join(SUITES)}\n"
            f"Components: main\nSigned-By: {KEYS}\n"
            if security
            else ""
        )
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": own,
        "Dir::State::lists": own / "lists",
        "Dir::Cache": own / "cache",
        "APT::Sandbox::User": "",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    done = subprocess.run(["apt-get", *options, *arguments], cwd=where, check=False, capture_output=True, text=True)
    return done.stdout


def _untar(archive: Path, place: Path) -> None:
    place.mkdir()
    with tarfile.open(archive) as packed:
        for member in packed:
            try:
                packed.extract(member, place, filter="data")
            except (tarfile.FilterError, OSError):
                continue  # a link to elsewhere; no code
