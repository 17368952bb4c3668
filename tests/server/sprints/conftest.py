"""A person who plans, for the tests of sprints."""

import httpx
import pytest
from tests.server.tasks.planning import Planner
from tests.support.server import RunningServer


@pytest.fixture
def plan(server: RunningServer, api: httpx.AsyncClient) -> Planner:
    """A person with a key for everything in the workspace WEB."""
    return Planner(server, api)
