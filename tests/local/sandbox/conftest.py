"""The sandbox is tested for real."""

import pytest
from tests.support import wrappers


@pytest.fixture(scope="session", autouse=True)
def bubblewrap() -> None:
    """A machine on which sandboxes can be made."""
    wrappers.require()
