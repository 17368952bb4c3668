"""Where programs begin, as manifests and names tell it."""

from pathlib import Path

import pytest
from tests.local.codemap.mapped import write

from locus.local.codemap.entries import entry_points

MANIFESTS = {
    "pyproject.toml": ('[project.scripts]\nshop = "shop:main"\n[tool.poetry.scripts]\ntill = "till:main"\n', 2),
    "setup.cfg": ("[options.entry_points]\nconsole_scripts =\n    shop = shop:main\n    till = till:main\n", 2),
    "package.json": ('{"bin": {"shop": "a.js"}, "main": "till.js", "scripts": {"start": "node .", "test": "x"}}', 3),
    "Cargo.toml": ('[[bin]]\nname = "shop"\npath = "src/shop.rs"\n[[bin]]\nname = "till"\n', 2),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_declares_where_programs_begin(tmp_path: Path, name: str) -> None:
    text, number = MANIFESTS[name]
    write(tmp_path, {name: text})

    found = entry_points(tmp_path, [name])

    assert len(found) == number
    assert all(entry.declared and entry.path == name for entry in found)
    assert found[0].starts.startswith("shop = ")


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "[",
        "[" * 9_000,
        "project = 3\ntool = []\nbin = 1\n",
        '{"bin": [3], "scripts": 7}',
        "\xff = {\n",
        "bin = [1]\n",
    ],
)
def test_a_manifest_that_cannot_be_read_declares_nothing(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text})

    assert entry_points(tmp_path, [name]) == []


def test_a_program_is_known_by_its_name_too(tmp_path: Path) -> None:
    names = ["cmd/shop/main.go", "src/main.rs", "manage.py", "src/mainly.py", "lib/app.js", "app.ts"]

    assert [entry.path for entry in entry_points(tmp_path, names)] == [
        "app.ts",
        "manage.py",
        "src/main.rs",
        "cmd/shop/main.go",
    ]
