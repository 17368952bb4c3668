"""What of an agent's answer is taken as a plan: all of it or nothing."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.support.plans import plan, task

from locus.local.planning.answer import judged, schema
from locus.local.sessions.answer import Faults

CHECKS = ("unit", "lint")


def faults(answer: Any) -> list[str]:
    with pytest.raises(Faults) as found:
        judged(answer if isinstance(answer, str) else json.dumps(answer), CHECKS)
    return found.value.faults


def item(**fields: Any) -> list[dict[str, Any]]:
    return [{"text": "x", "check": None, "red_first": False, **fields}]


@pytest.mark.parametrize(
    "around",
    ["{}", "Here it is:\n```json\n{}\n```\nDone.", "Sure! {} Anything else?", "```\n{{broken\n```\n```json\n{}\n```"],
    ids=["alone", "in a fence", "in a sentence", "in the last fence"],
)
def test_a_good_plan_is_found_wherever_it_stands(around: str) -> None:
    draft = judged(around.replace("{{", "{").replace("{}", json.dumps(plan())), CHECKS)

    assert [one.ref for one in draft.tasks] == ["model", "api", "page"]
    assert draft.tasks[2].depends_on == ["model", "api"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("I would begin with the model.", "not one JSON object"),
        ('{"name": "Search", ', "not one JSON object"),
        ("[]", "not one JSON object"),
        (plan(task("a", "b"), task("b", "a")), "circle: "),
        (plan(task("a", "a")), "circle: a -> a"),
        (plan(task("a"), task("a")), "'a' comes twice"),
        (plan(task("a", "nobody")), "'nobody', which is no task"),
        (plan(task("a", "b"), task("b")), "stands before 'b'"),
        (plan(task("a", checklist=item(check="e2e"))), "'e2e', which the project does not have. It has: lint, unit"),
        (plan(task("a", checklist=item(red_first=True))), "red_first and without a check"),
        (plan(task("a", checklist=[])), "no checklist"),
        (plan(task("a", complexity=6)), "Task 1 has a wrong complexity"),
        (plan(task("a", title="x" * 201)), "Task 1 has a wrong title"),
        (plan(task("a", title="two\nlines")), "of one line that begins with something visible"),
        (plan(name="n" * 101), "The plan has a wrong name"),
        ({**plan(), "status": "approved"}, "a field 'status', which there is not"),
        ({**plan(), "tasks": []}, "wrong field"),
        ({**plan(), "risks": "none"}, "risks that are no list"),
        (plan("a"), "Task 1 is no object"),  # type: ignore[arg-type]
        ({"name": "x"}, "The plan has no tasks"),
        (plan(*(task(f"t{at}", description="x" * 65_000) for at in range(20))), "say less in the descriptions"),
        ('{"name": ' * 100_000, "not one JSON object"),
    ],
)
def test_a_plan_with_a_fault_is_not_taken_and_the_fault_is_told(answer: Any, said: str) -> None:
    assert said in "; ".join(faults(answer))


def test_all_faults_are_told_at_once() -> None:
    bad = plan(task("a", checklist=[]), task("a", checklist=item(check="e2e")), task("b", "nobody"))

    assert len(faults(bad)) == 4


def test_all_fields_that_are_wrong_are_told_at_once() -> None:
    bad = plan(task("a", title="x" * 201), task("b", priority="HUGE", checklist=item(text="")), {"ref": "c"}, name="")

    assert [said.partition(":")[0].rstrip(".") for said in faults(bad)] == [
        "The plan has a wrong name",
        "Task 1 has a wrong title",
        "Task 2 has a wrong priority",
        "Task 2 has a wrong checklist",
        "Task 3 has no title",
    ]


def test_what_the_schema_allows_is_what_we_can_read() -> None:
    form = json.loads(schema(CHECKS))

    Draft202012Validator.check_schema(form)
    Draft202012Validator(form).validate(plan(task("a", role=None, checklist=item(check="unit", red_first=True))))
    wrong = Draft202012Validator(form).iter_errors(plan(task("a", checklist=item(check="e2e"))))
    assert len(list(wrong)) == 1


def test_every_object_of_the_schema_is_closed_and_all_its_fields_are_required() -> None:
    def objects(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, list):
            return [one for part in value for one in objects(part)]
        if not isinstance(value, dict):
            return []
        return [value] * (value.get("type") == "object") + objects(list(value.values()))

    found = objects(json.loads(schema(())))

    assert len(found) == 4
    assert all(one["additionalProperties"] is False for one in found)
    assert all(set(one["required"]) == set(one["properties"]) for one in found)
