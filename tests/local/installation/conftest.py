"""An index of packages on loopback, and wheels of this very tree in two versions."""

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import locus
from locus.version import VERSION

NEWER = "0.9.0"
SOURCE = Path(locus.__file__).parent


@dataclass(frozen=True)
class Index:
    """A simple index with one package; `asked` are the paths of its requests."""

    url: str
    folder: Path
    asked: list[str]

    def publish(self, version: str) -> None:
        """Add a version: this tree, under another number and with a line in its CHANGELOG."""
        made = wheel(self.folder / "files", version)
        page = self.folder / "simple" / "locusai" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        before = page.read_text() if page.exists() else ""
        page.write_text(before + f'<a href="/files/{made.name}">{made.name}</a>\n')


def wheel(folder: Path, version: str) -> Path:
    """A wheel of this tree's package, without dependencies: they are lent."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"locusai-{version}-py3-none-any.whl"
    info = f"locusai-{version}.dist-info"
    changes = f"# Changes\n\n## {NEWER}\n\n- It is faster.\n\n## Unreleased: {VERSION}\n\n- It is there.\n"
    texts = {
        "locus/CHANGELOG.md": changes,
        "locus/version.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: locusai\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nlocus = locus.__main__:main\n",
    }
    with zipfile.ZipFile(path, "w") as made:
        for file in sorted(SOURCE.rglob("*.py")):
            name = f"locus/{file.relative_to(SOURCE)}"
            if name not in texts and "/server/" not in name:
                made.write(file, name)
        for name, text in texts.items():
            made.writestr(name, text)
        record = f"{info}/RECORD"
        made.writestr(record, "".join(f"{name},,\n" for name in [*made.namelist(), record]))
    return path


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    folder = tmp_path / "index"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made = Index(f"http://127.0.0.1:{server.server_address[1]}", folder, asked)
    made.publish(VERSION)
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
