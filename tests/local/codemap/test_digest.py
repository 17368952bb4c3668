"""What is read of one file's content."""

import pytest
from hypothesis import given, strategies as st

from locus.local.codemap.digest import BINARY, GENERATED, SIGNATURE, Source, digest, split
from locus.local.codemap.languages import LANGUAGES

SNIPPETS: dict[str, tuple[str, list[tuple[str, str, int]]]] = {
    "Python": (
        "LIMIT = 3\n\nclass Shop:\n    def open(self, day: str) -> bool:\n        x = 1\n",
        [("LIMIT", "constant", 0), ("Shop", "class", 0), ("open", "function", 1)],
    ),
    "JavaScript": (
        "const limit = 3;\nclass Shop { open(day) {} }\nexports.ask = () => 1;\n",
        [("limit", "constant", 0), ("Shop", "class", 0), ("open", "method", 1), ("ask", "function", 0)],
    ),
    "TypeScript": (
        "export interface Shop { open(): void }\ntype Day = string;\nenum Kind { A }\nabstract class Base {}\n",
        [("Shop", "interface", 0), ("Day", "type", 0), ("Kind", "enum", 0), ("Base", "class", 0)],
    ),
    "TSX": ("export function Page(): JSX.Element { return <b>x</b>; }\n", [("Page", "function", 0)]),
    "Go": (
        "package shop\n\nconst Limit = 3\n\ntype Shop struct{}\n\nfunc (s *Shop) Open() {}\n\nfunc New() {}\n",
        [("Limit", "constant", 0), ("Shop", "type", 0), ("Open", "method", 0), ("New", "function", 0)],
    ),
    "Rust": (
        "const LIMIT: u8 = 3;\nstruct Shop;\ntrait Opens { }\nimpl Shop { fn open(&self) {} }\n",
        [("LIMIT", "constant", 0), ("Shop", "struct", 0), ("Opens", "trait", 0), ("open", "function", 0)],
    ),
    "Java": (
        "class Shop { void open() {} }\ninterface Opens {}\nrecord Day(int n) {}\n",
        [("Shop", "class", 0), ("open", "method", 1), ("Opens", "interface", 0), ("Day", "record", 0)],
    ),
    "C": (
        "#define LIMIT 3\nstruct shop { int n; };\nint open_shop(int day) { }\nchar *name(void) { return 0; }\n",
        [("LIMIT", "macro", 0), ("shop", "struct", 0), ("open_shop", "function", 0), ("name", "function", 0)],
    ),
    "C++": (
        "namespace shops { class Shop { void open() {} }; }\nvoid Shop::close() {}\n",
        [("shops", "namespace", 0), ("Shop", "class", 1), ("open", "method", 2), ("close", "method", 0)],
    ),
    "Ruby": (
        "module Shops\n  class Shop\n    def open(day)\n    end\n  end\nend\n",
        [("Shops", "module", 0), ("Shop", "class", 1), ("open", "method", 2)],
    ),
    "PHP": (
        "<?php\ninterface Opens {}\nclass Shop { function open() {} }\nfunction ask() {}\n",
        [("Opens", "interface", 0), ("Shop", "class", 0), ("open", "method", 1), ("ask", "function", 0)],
    ),
    "C#": (
        "class Shop { void Open() {} }\nstruct Day {}\n",
        [("Shop", "class", 0), ("Open", "method", 1), ("Day", "struct", 0)],
    ),
}


@pytest.mark.parametrize("language", [language.name for language in LANGUAGES])
def test_every_language_tells_its_definitions(language: str) -> None:
    code, expected = SNIPPETS[language]

    found = digest(Source(language, code.encode()))

    assert [(one.name, one.kind, one.depth) for one in found.symbols] == expected
    lines = code.splitlines()
    assert all(one.name in lines[one.line - 1] for one in found.symbols)


def test_a_signature_is_one_line_without_the_body() -> None:
    code = f"def pay(amount: int = 3) -> None:\n    pass\n\n\ndef long({'argument, ' * 50}): ...\n"

    pay, long = digest(Source("Python", code.encode())).symbols

    assert pay.signature == "def pay(amount: int = 3) -> None"
    assert len(long.signature) == SIGNATURE


def test_a_signature_over_several_lines_is_joined() -> None:
    code = "async def pay(\n    amount: int,\n    *,\n    card: str,\n) -> None:\n    pass\n"

    (pay,) = digest(Source("Python", code.encode())).symbols

    assert pay.signature == "async def pay(amount: int, *, card: str) -> None"


def test_of_a_constant_its_value_is_not_told() -> None:
    (key,) = digest(Source("Python", b'API_KEY = "hunter2"\n')).symbols

    assert key.signature == "API_KEY"


@pytest.mark.parametrize(
    ("content", "note"),
    [(b"\x7fELF\0\0", BINARY), ("class A".encode("utf-16"), BINARY), (b"var a=1;" * 9000, GENERATED), (b"", None)],
)
def test_what_nobody_wrote_is_known_by_its_name_alone(content: bytes, note: str | None) -> None:
    found = digest(Source("JavaScript", content))

    assert (found.note, found.symbols, found.words) == (note, [], "")


def test_words_are_found_however_they_are_joined() -> None:
    assert split("codebaseMap") == split("codebase_map") == ("codebase", "map")
    assert split("HTTPServer2") == ("http", "server")


@given(st.sampled_from([language.name for language in LANGUAGES]), st.binary(max_size=400))
def test_no_bytes_are_too_broken_to_be_read(language: str, content: bytes) -> None:
    found = digest(Source(language, b"class A {}\n" + content))

    assert all(one.line <= found.lines and "\n" not in one.signature for one in found.symbols)
