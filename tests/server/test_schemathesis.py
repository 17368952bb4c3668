"""The API against its own description: schemathesis makes requests from it, good and bad, and judges the answers.

LOCUS_EXAMPLES raises the number of examples for each operation; from 50 on, every boundary of every field is tried too.
"""

import asyncio
import os
import re
import sys
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose

EXAMPLES = int(os.environ.get("LOCUS_EXAMPLES", "15"))
PHASES = "coverage,fuzzing" if EXAMPLES >= 50 else "fuzzing"
# An answer that ends only when the reader goes, and one that may wait for half a minute: both have tests of their own.
ENDLESS = ["stream_events", "claim_task"]
# These would take away, in the middle of the run, the ground that it stands on; they are tried by themselves.
GROUND = [
    "revoke_organization_key",
    "rotate_organization_key",
    "revoke_workspace_key",
    "rotate_workspace_key",
    "delete_workspace",
]
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
]


async def judged(server: RunningServer, secret: str, folder: Path, *selection: str) -> str:
    """Run schemathesis on the server and return what it reported; fails when it found something."""
    (folder / "schemathesis.toml").write_text(
        f'[parameters]\n"path.workspace_id" = "{server.workspace.id}"\n"header.If-Match" = "*"\n'
    )
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        "run", f"{server.url}/api/openapi.json",
        "--header", f"Authorization: Bearer {secret}",
        "--max-examples", str(EXAMPLES),
        "--phases", PHASES,
        "--checks", ",".join(CHECKS),
        "--generation-database", "none",
        "--seed", "1",
        "--no-color",
        *selection,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    report = out.decode()
    assert process.returncode == 0, report
    return report


def excluding(operations: list[str]) -> list[str]:
    return [part for name in operations for part in ("--exclude-operation-id", name)]


@pytest.mark.timeout(900 if EXAMPLES < 50 else 7200)
async def test_no_request_of_an_admin_gets_anything_but_a_described_answer(
    server: RunningServer, tmp_path: Path
) -> None:
    await planned(server)

    report = await judged(server, await server.key(), tmp_path, *excluding(ENDLESS + GROUND))

    tested = re.search(r"Tested: (\d+)", report)
    assert tested is not None
    assert int(tested[1]) >= 45
    assert int(await server.pool.fetchval("SELECT count(*) FROM tasks")) > 1, "no good request got through"


@pytest.mark.timeout(900)
async def test_no_request_that_ends_a_key_or_a_workspace_gets_anything_but_a_described_answer(
    server: RunningServer, tmp_path: Path
) -> None:
    selection = [part for name in GROUND for part in ("--include-operation-id", name)]

    await judged(server, await server.key(), tmp_path, *selection)


async def planned(server: RunningServer) -> UUID:
    """A sprint with a task, so that there is something to find."""
    async with server.client(await server.key(Purpose.MEMBER)) as client:
        sprint = (await client.post(server.path("/sprints"), json={"name": "One"})).json()
        await client.post(server.path("/tasks"), json={"title": "t", "sprint_id": sprint["id"]})
    return UUID(sprint["id"])
