"""Which paths a pattern protects."""

import pytest

from locus.local.evidence.protected import touched
from locus.local.known_files import PROTECTED

COVERED = [
    (".locus/config.toml", ".locus/**"),
    (".github/workflows/ci.yml", ".github/workflows/**"),
    (".github/workflows/deep/ci.yml", ".github/workflows/**"),
    ("AGENTS.md", "AGENTS.md"),
    ("packages/web/AGENTS.md", "AGENTS.md"),
    (".cLaude/settings.json", ".claude/**"),
    ("src/a.sql", "src/*.sql"),
    ("src/deep/a.sql", "src/**/*.sql"),
    ("src/a.sql", "src/**/*.sql"),
]
FREE = [
    ("locus/config.toml", ".locus/**"),
    (".github/CODEOWNERS", ".github/workflows/**"),
    ("docs/AGENTS.md.txt", "AGENTS.md"),
    ("src/deep/a.sql", "src/*.sql"),
    ("src/a.py", "src/**/*.sql"),
]


@pytest.mark.parametrize(("path", "pattern"), COVERED)
def test_a_protected_path_is_found(path: str, pattern: str) -> None:
    assert touched([path], [pattern]) == [path]


@pytest.mark.parametrize(("path", "pattern"), FREE)
def test_other_paths_are_free(path: str, pattern: str) -> None:
    assert touched([path], [pattern]) == []


def test_the_defaults_protect_what_decides_over_agents_and_machines() -> None:
    decisive = [".locus/LOCUS.md", ".github/workflows/x.yml", ".mcp.json", ".claude/settings.json", "CLAUDE.md"]
    decisive += [
        "Jenkinsfile",
        ".husky/pre-commit",
        "sub/.cursorrules",
        ".gitmodules",
        "web/package-lock.json",
        "uv.lock",
    ]

    assert touched([*decisive, "src/main.py", "package.json", "docs/lock.md"], PROTECTED) == decisive
