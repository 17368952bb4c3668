"""The description of the API, and the page that shows it."""

import hashlib
import json
import re
from importlib.resources import files

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

STATIC = files("locus.server") / "static"


@pytest.fixture
async def described(api: httpx.AsyncClient) -> dict:
    answer = await api.get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json()


async def test_every_operation_says_what_it_needs_and_how_it_refuses(described: dict) -> None:
    assert described["openapi"] == "3.1.0"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            where = (method, path)
            assert operation["operationId"], where
            assert operation["summary"], where
            assert operation["tags"], where
            assert "503" in operation["responses"], where
            if path.startswith("/api/v1/device"):  # a machine that has no key yet
                assert "403" in operation["responses"], where
                assert operation["security"] == [], where
            elif path.startswith("/api/"):
                assert {"401", "403"} <= set(operation["responses"]), where
                assert operation["security"] == [{"key": []}], where
            for name in re.findall(r"{(\w+)}", path):
                assert any(one["name"] == name and one["required"] for one in operation["parameters"]), where


async def test_every_schema_is_one_and_every_reference_leads_somewhere(described: dict) -> None:
    schemas = described["components"]["schemas"]
    for schema in schemas.values():
        OAS31Validator.check_schema(schema)
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)):
        assert name in schemas


async def test_what_clients_send_is_closed_in_the_description_too(described: dict) -> None:
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"].get("$ref", "").rsplit("/", 1)[-1]
        for methods in described["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    } - {""}
    assert "TaskDraft" in bodies
    for name in bodies:
        assert described["components"]["schemas"][name]["additionalProperties"] is False


async def test_an_answer_is_as_the_description_says(api: httpx.AsyncClient, described: dict) -> None:
    answer = (await api.get("/api/v1/me")).json()
    schema = {"$ref": "#/components/schemas/Me", "components": described["components"]}

    OAS31Validator(schema).validate(answer)


async def test_the_page_runs_without_any_other_server(api: httpx.AsyncClient) -> None:
    page = await api.get("/api/docs")

    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "<script>" not in page.text
    assert not re.findall(r"https?://", page.text)
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert (await api.get(address)).status_code == 200, address


async def test_only_the_pages_own_files_are_served(api: httpx.AsyncClient) -> None:
    for name in ("vendor.json", "..%2fapp.py", "LICENSE", "%2e%2e"):
        assert (await api.get(f"/api/docs/{name}")).status_code == 404, name


def test_the_vendored_files_are_the_ones_that_were_locked() -> None:
    lock = json.loads((STATIC / "vendor.json").read_text())
    for folder, package in lock.items():
        present = {file.name for file in (STATIC / folder).iterdir()}
        assert present == set(package["sha256"])
        assert "LICENSE" in present
        for name, expected in package["sha256"].items():
            assert hashlib.sha256((STATIC / folder / name).read_bytes()).hexdigest() == expected, name
