"""What becomes of the items of a checklist."""

import msgspec
import pytest
from tests.server.tasks.planning import Planner, handed_in, refused, told

from locus.server.errors import Invalid, NotFound
from locus.server.tasks import checklist
from locus.wire.tasks import ChecklistItem, ChecklistItemDraft, ItemEdit, Task

PROVEN = ChecklistItem(id="a", text="Works", check="unit", done=True)
BY_HAND = ChecklistItem(id="b", text="Looks good")


def test_evidence_survives_when_the_whole_list_is_sent_again() -> None:
    sent = [ChecklistItemDraft(id="a", text="Works well", check="unit"), ChecklistItemDraft(id="b", text="Nice")]

    items = checklist.drafted(sent, [PROVEN, BY_HAND])

    assert items == [
        ChecklistItem(id="a", text="Works well", check="unit", done=True),
        ChecklistItem(id="b", text="Nice"),
    ]


@pytest.mark.parametrize(
    "draft",
    [
        ChecklistItemDraft(text="Works", check="unit", done=True),
        ChecklistItemDraft(id="a", text="Works", check="lint", done=True),
        ChecklistItemDraft(id="b", text="Works", check="unit", done=True),
    ],
)
def test_nobody_ticks_a_check_by_sending_it_ticked(draft: ChecklistItemDraft) -> None:
    with pytest.raises(Invalid, match=r"checklist\.0\.done"):
        checklist.drafted([draft], [PROVEN, BY_HAND])


def test_two_items_cannot_have_one_id() -> None:
    with pytest.raises(Invalid, match=r"checklist\.1\.id"):
        checklist.drafted([ChecklistItemDraft(id="a", text="x"), ChecklistItemDraft(id="a", text="y")])


def test_another_check_is_open_until_it_has_evidence() -> None:
    [item, _] = checklist.edited([PROVEN, BY_HAND], "a", ItemEdit(check="lint"))

    assert (item.check, item.done) == ("lint", False)


def test_a_check_is_not_ticked_or_unticked_by_hand() -> None:
    with pytest.raises(Invalid, match="done"):
        checklist.edited([PROVEN], "a", ItemEdit(done=False))
    with pytest.raises(Invalid, match="done"):
        checklist.edited([BY_HAND], "b", ItemEdit(check="unit", done=True))


def test_an_unknown_item_is_not_found() -> None:
    with pytest.raises(NotFound):
        checklist.edited([BY_HAND], "c", ItemEdit(done=True))


def test_another_attempt_begins_with_its_checks_open() -> None:
    ticked = ChecklistItem(id="b", text="Looks good", done=True)

    assert checklist.unproven([PROVEN, ticked]) == [
        ChecklistItem(id="a", text="Works", check="unit", done=False),
        ticked,
    ]


async def test_an_item_is_ticked_and_reworded_alone(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "One", "id": "one"}, {"text": "Two", "id": "two"}])

    path = plan.path(f"/tasks/{task.key}/checklist/")
    edited = told(await plan.api.patch(path + "two", json={"done": True, "text": "Second"}), Task)

    assert [(item.text, item.done) for item in edited.checklist] == [("One", False), ("Second", True)]
    assert edited.version == 2
    assert (await plan.events(task))[-1].detail.fields == ["checklist"]
    refused(await plan.api.patch(path + "three", json={"done": True}), 404)
    assert told(await plan.api.patch(path + "two", json={"done": True}), Task).version == 2


async def test_a_check_of_a_task_is_ticked_by_nobody_over_http(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Works", "check": "unit", "id": "one"}])
    await handed_in(plan.server.pool, task, red=("unit",))

    body = msgspec.json.encode({"done": True})
    answer = await plan.api.patch(
        plan.path(f"/tasks/{task.key}/checklist/one"), content=body, headers={"Content-Type": "application/json"}
    )

    refused(answer, 422, "invalid", "done")
    sent = [{"text": "Works", "check": "unit", "id": "one", "done": True}]
    refused(await plan.edit(task, checklist=sent), 422, "invalid", "checklist.0.done")


def test_only_an_item_with_a_check_can_be_red_first() -> None:
    with pytest.raises(Invalid) as refused:
        checklist.drafted([ChecklistItemDraft(text="Nice", red_first=True)])

    assert [error.field for error in refused.value.errors] == ["checklist.0.red_first"]


def test_a_tick_that_was_not_seen_red_first_does_not_stand_for_one_that_must_be() -> None:
    proven = [ChecklistItem(id="a", text="Works", done=True, check="unit")]

    [item] = checklist.drafted([ChecklistItemDraft(id="a", text="Works", check="unit", red_first=True)], proven)

    assert (item.done, item.red_first) == (False, True)
    assert not checklist.edited(proven, "a", ItemEdit(red_first=True))[0].done
    assert checklist.edited(proven, "a", ItemEdit(text="Works well"))[0].done


def test_an_item_that_loses_its_check_is_not_red_first_any_more() -> None:
    [item] = checklist.edited(
        [ChecklistItem(id="a", text="Works", check="unit", red_first=True)], "a", ItemEdit(check=None)
    )

    assert (item.check, item.red_first) == (None, False)
