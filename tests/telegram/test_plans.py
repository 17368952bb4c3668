"""Plans and prompts from the phone, by the real commands and an agent that is a small program."""

from uuid import uuid4

from tests.support import wrappers
from tests.support.telegram_bot import Rig

from locus.wire.plans import PlanDraft, PlanStatus, PlanTask
from locus.wire.tasks import ChecklistItemDraft

# It says in the plan's name what it has read: in the sandbox it can write nothing.
PLAN = """\
case "$(cat)" in
*"--start Too few tasks"*) name=Second ;;
*"--approve People can sign in
with a link"*) name=First ;;
*) name=Lost ;;
esac
printf '{"name": "%s", "goal": "People sign in", "tasks": [' $name
printf '{"ref": "one", "title": "Ask for <it>", "estimate_minutes": 90, "checklist": [{"text": "It asks"}]},'
printf '{"ref": "two", "title": "Send it", "depends_on": ["one"], "checklist": [{"text": "It is sent"}]}],'
printf '"risks": [{"description": "Mails get lost", "mitigation": "Ask again"}]}'
"""


async def test_a_plan_is_made_sent_back_and_taken_from_the_phone(rig: Rig) -> None:
    wrappers.put_on_path(rig.person)
    rig.person.variables["LOCUS_SANDBOX"] = "on"
    rig.agent(PLAN)
    await rig.start()

    rig.phone.send("/plan --approve People can sign in\nwith a link")
    shown = await rig.phone.sees("Plan 1", "First", "Ask for <it>", "2. Send it (after 1)", limit=60)
    rig.phone.press(shown, "✗ Another")
    question = await rig.phone.sees("What is wrong with plan 1?")
    rig.phone.send("--start Too few tasks", reply_to=question)
    second = await rig.phone.sees("Plan 2", "Second", limit=60)
    rig.phone.press(second, "✓ Take 2")
    taken = await rig.phone.sees("Plan 2 is sprint 2", "WEB-1", limit=60)

    assert "2 tasks, 1 h 30 min by the planner's own estimate." in shown.text
    assert "No forecast: this workspace has 0 finished tasks" in shown.text
    assert "Risk: Mails get lost" in shown.text
    assert "▶ Start it" in taken.buttons
    assert (await rig.plane.tasks.get("WEB-1")).title == "Ask for <it>"
    assert "Second" in (await rig.phone.ask("/plans")).text


async def test_a_plan_that_waits_at_the_control_plane_is_told_sent_back_and_taken_from_the_phone(rig: Rig) -> None:
    wrappers.put_on_path(rig.person)
    rig.person.variables["LOCUS_SANDBOX"] = "on"
    rig.agent(PLAN)
    await rig.start()
    assert "No plan was made here yet" in (await rig.phone.ask("/plans")).text
    task = PlanTask(ref="one", title="Ask <b>twice</b>", checklist=[ChecklistItemDraft(text="It asks")])
    theirs = await rig.plane.plans.propose(uuid4(), PlanDraft(name="From another machine", tasks=[task]))

    news = await rig.phone.sees("From another machine", "waits for a decision: 1 task", limit=60)
    rig.phone.press(news, "Show the plans")
    shown = await rig.phone.sees("waits at the control plane", "Ask <b>twice</b>", limit=60)
    rig.phone.press(shown, "✗ Another")
    question = await rig.phone.sees("What is wrong with plan 1?")
    rig.phone.send("--start Too few tasks", reply_to=question)
    await rig.phone.sees("Plan 2", "Second", limit=60)
    rejected = await rig.plane.plans.get(theirs.id)
    other = await rig.plane.plans.propose(uuid4(), PlanDraft(name="Once more", tasks=[task]))
    assert "Once more" in (await rig.phone.ask("/plans")).text
    rig.phone.send("/approve 3")
    await rig.phone.sees("Plan 3 is sprint 2", limit=60)

    assert (rejected.status, rejected.feedback) == (PlanStatus.REJECTED, "--start Too few tasks")
    assert (await rig.plane.plans.get(other.id)).status is PlanStatus.APPROVED


async def test_a_prompt_needs_leave_and_its_answer_comes_without_code(bot: Rig) -> None:
    bot.agent("cat > prompt.txt; printf 'Done so:\\n```\\nsecret code\\n```\\nThat is <all>.'")

    assert "locus telegram allow exec" in (await bot.phone.ask("/exec --read-only go")).text
    assert (await bot.locus("telegram", "allow", "exec")).code == 0
    bot.phone.send("/exec --read-only go")
    answer = await bot.phone.sees("That is <all>.", limit=60)

    assert "secret code" not in answer.text
    assert "--read-only go" in (bot.root / "prompt.txt").read_text()


async def test_a_discussion_goes_on_with_a_reply(rig: Rig) -> None:
    wrappers.put_on_path(rig.person)
    rig.person.variables["LOCUS_SANDBOX"] = "on"
    rig.agent(
        'case "$(cat)" in *"Then cookies"*) said="So be it." ;; *) said="Cookies or tokens?" ;; esac\n'
        """printf '{"reply": "%s", "insights": []}' "$said\""""
    )
    assert (await rig.locus("telegram", "allow", "discuss")).code == 0
    await rig.start()

    rig.phone.send("/discuss --list How do we keep sessions?")
    first = await rig.phone.sees("Cookies or tokens?", "Reply to go on")
    rig.phone.send("Then cookies", reply_to=first)
    await rig.phone.sees("So be it.", "Reply to go on")

    assert (await rig.locus("discuss", "--list", "--json")).out.count('"id"') == 1
