"""The leak oracle: looks for a tree, its paths and planted words in recorded traffic. Shares no code with the product.

It looks through gzip, zlib, base64 (every offset, both alphabets), hex, URL and JSON escapes and UTF-16, up to three of
them around each other, at text whose blanks are made alike. A window of WINDOW bytes of any file is a leak.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

WINDOW = 20  # bytes of a file
DEPTH = 3  # encodings around each other
SEPARATOR = b"\n\x00\n"  # between decoded pieces, so that two of them never make a window together

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
HEX = re.compile(rb"[0-9a-fA-F]{16,}")
JSON_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])')
UTF_16 = re.compile(rb"(?:[\x00-\xff]\x00){8,}")
COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
BLANKS = re.compile(rb"\s+")


@dataclass(frozen=True)
class Leak:
    """Something that should have stayed at home: what kind of thing, and the bytes that gave it away."""

    kind: str
    what: bytes


class Oracle:
    """Knows what must not leave: `canaries` are words by kind, `trees` are directories with everything in them."""

    def __init__(self, canaries: Mapping[str, Iterable[str]], trees: Iterable[Path] = ()) -> None:
        self.words = [(kind, word.encode()) for kind, words in canaries.items() for word in words]
        self.windows: set[bytes] = set()
        for tree in trees:
            self._learn(tree)

    def _learn(self, tree: Path) -> None:
        for path in tree.rglob("*"):
            inside = path.relative_to(tree)
            if ".git" in inside.parts:
                continue
            if len(inside.parts) >= 2:
                self.words.append(("path", str(inside).encode()))
            if path.is_file() and not path.is_symlink():
                self.learn(path.read_bytes())

    def learn(self, content: bytes) -> None:
        """Every window of this text is a leak from now on."""
        for text in (content, alike(content)):
            self.windows.update(text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1))

    def leaks(self, traffic: bytes) -> list[Leak]:
        """What of it is in the traffic, each thing once."""
        found: dict[Leak, None] = {}
        for view in views(traffic):
            for text in {view, alike(view)}:
                for kind, word in self.words:
                    if word in text:
                        found[Leak(kind, word)] = None
                for at in range(len(text) - WINDOW + 1):
                    if text[at : at + WINDOW] in self.windows:
                        found[Leak("window", text[at : at + WINDOW])] = None
        return list(found)


def alike(text: bytes) -> bytes:
    return BLANKS.sub(b" ", text)


def views(data: bytes) -> Iterator[bytes]:
    """The data, and everything that can be decoded from it."""
    seen: set[bytes] = set()
    level = [data]
    for _ in range(DEPTH + 1):
        fresh = [one for one in level if one and one not in seen]
        seen.update(fresh)
        yield from fresh
        level = [inner for one in fresh for inner in decoded(one)]


def decoded(data: bytes) -> Iterator[bytes]:
    """The data with one encoding taken off, in every way that fits."""
    yield SEPARATOR.join(inflated(data[match.start() :]) for match in COMPRESSED.finditer(data))
    runs = [run.rstrip(b"=").translate(URL_SAFE) for run in BASE64.findall(data)]
    for offset in range(4):
        yield SEPARATOR.join(from_base64(run[offset:]) for run in runs)
    for offset in range(2):
        pieces = (run[offset : offset + (len(run) - offset) // 2 * 2] for run in HEX.findall(data))
        yield SEPARATOR.join(bytes.fromhex(piece.decode()) for piece in pieces)
    yield unquote_to_bytes(data.replace(b"+", b" "))
    yield unquote_to_bytes(data)
    for encoding in ("utf-8", "latin-1"):  # as text, and as bytes that somebody took for text
        yield JSON_ESCAPE.sub(lambda found, encoding=encoding: unescaped(found[0], encoding), data)  # type: ignore[misc]
    yield SEPARATOR.join(run[::2] for run in UTF_16.findall(data))
    yield data.replace(b"\x00", b"")


URL_SAFE = bytes.maketrans(b"-_", b"+/")


def from_base64(run: bytes) -> bytes:
    whole = run[: len(run) // 4 * 4]
    rest = run[len(whole) :]
    tail = base64.b64decode(rest + b"=" * (4 - len(rest))) if len(rest) > 1 else b""
    return base64.b64decode(whole) + tail


def inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(47).decompress(data, 16 << 20)
    except zlib.error:
        return b""


def unescaped(escape: bytes, encoding: str) -> bytes:
    return str(json.loads(b'"%b"' % escape)).encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
