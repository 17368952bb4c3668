"""Plans as an agent answers them."""

import json
from typing import Any

from tests.support.model_server import Says, Step, ToolCall


def task(ref: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    """A task without a fault."""
    return {
        "ref": ref,
        "title": f"Do {ref}",
        "description": f"What: {ref}. Where: shop.py.",
        "role": "BACKEND",
        "priority": "MEDIUM",
        "labels": [],
        "complexity": 2,
        "estimate_minutes": 30,
        "checklist": [{"text": "It works", "check": None, "red_first": False}],
        "depends_on": list(depends_on),
        **fields,
    }


def plan(*tasks: dict[str, Any], name: str = "Search") -> dict[str, Any]:
    """A plan of these tasks; without any, a good one of three."""
    usual = (task("model"), task("api", "model"), task("page", "model", "api"))
    risk = {"description": "It may be slow", "mitigation": "Measure it", "severity": "HIGH"}
    return {"name": name, "goal": "People find things.", "tasks": list(tasks or usual), "risks": [risk]}


def answers(agent: str, answer: dict[str, Any] | str) -> list[Step]:
    """The steps of a model that answers so. Prose and broken JSON are said; claude hands in what is a plan."""
    if isinstance(answer, str) or agent != "claude":
        return [Says(answer if isinstance(answer, str) else json.dumps(answer))]
    return [Says(tools=[ToolCall("StructuredOutput", answer)]), Says("That is the plan.")]
