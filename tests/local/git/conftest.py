"""A project on disk, and a bench on which an agent could work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.local.git.project import Bench, Project, fingerprint, make_bench, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture
async def bench(project: Project) -> AsyncIterator[Bench]:
    """Whatever a test does on it, the user's checkout must be the same afterwards, to the byte and the nanosecond."""
    before = fingerprint(project.root)
    made = await make_bench(project)
    yield made
    made.clone.close()
    assert fingerprint(project.root) == before
