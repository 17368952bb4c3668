"""A run that goes well: what is on the remote, what the server knows, and what of the user's was left alone."""

import asyncio
from pathlib import Path

from tests.support.workshop import Workshop, one_of

from locus.local.project import Check, Project
from locus.local.worker import told
from locus.local.worker.outcome import Completed
from locus.wire.tasks import ChecklistItemDraft, Priority, Status, StatusChange

EDIT = "pathlib.Path(prompt.split('# Your task: ')[1].split()[0] + '.txt').write_text('done\\n')"


async def test_each_task_is_one_commit_on_one_branch_and_in_review(shop: Workshop) -> None:
    first = await shop.task("Add one")
    second = await shop.task("Add two")

    ran = await shop.run(shop.agent(EDIT))

    assert ran.result.succeeded
    assert shop.on_remote() == ["WEB-1: Add one", "WEB-2: Add two"]
    for task in (first, second):
        now = await shop.now(task)
        assert (now.status, now.branch) == (Status.IN_REVIEW, "locus/sprint-1")
        assert now.commit in shop.git("rev-list", "locus/sprint-1", cwd=shop.remote).splitlines()


async def test_a_commit_says_which_task_attempt_agent_and_evidence_it_comes_from(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks.append(Check(name="unit", run="test -e WEB-1.txt && echo 3 passed in 0.01s"))

    await shop.run(shop.agent(EDIT))

    message = shop.git("log", "-1", "--format=%(trailers)", "locus/sprint-1", cwd=shop.remote)
    assert "Task: WEB-1\nAttempt: 1\nAgent: command-" in message
    assert "Evidence: unit: 3 tests" in message
    assert shop.git("log", "-1", "--format=%an", "locus/sprint-1", cwd=shop.remote) == "Ada"


async def test_the_users_checkout_is_byte_for_byte_as_it_was(shop: Workshop) -> None:
    await shop.task("Add one")
    (shop.root / "notes.txt").write_text("not committed")
    (shop.root / "README.md").write_text("# changed, not committed")
    await shop.look_again()
    before = shop.fingerprint()

    await shop.run(shop.agent(EDIT))

    assert shop.fingerprint() == before


async def test_what_the_user_has_not_committed_is_in_no_commit(shop: Workshop) -> None:
    await shop.task("Add one")
    (shop.root / ".env").write_text("SECRET=1")
    await shop.look_again()

    await shop.run(shop.agent(EDIT))

    assert shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote) == "WEB-1.txt"


async def test_tasks_are_taken_by_dependency_then_priority_then_position(shop: Workshop) -> None:
    low = await shop.task("Low", priority=Priority.LOW)
    await shop.task("Critical, but after the low one", priority=Priority.CRITICAL, depends_on=[low.id])
    await shop.task("Medium")
    await shop.task("High", priority=Priority.HIGH)

    ran = await shop.run(shop.agent(EDIT))

    assert [claimed.key for claimed in ran.of(told.TaskClaimed)] == ["WEB-4", "WEB-3", "WEB-1", "WEB-2"]


async def test_a_later_task_stands_on_the_work_of_an_earlier_one_and_hears_of_it(shop: Workshop) -> None:
    await shop.task("Add one")
    await shop.task("Add two")

    await shop.run(
        shop.agent(
            "key = prompt.split('# Your task: ')[1].split()[0]\n"
            "if key == 'WEB-2':\n"
            "    assert pathlib.Path('WEB-1.txt').read_text() == 'done\\n'\n"
            "    assert 'WEB-1: Add one (WEB-1.txt)' in prompt\n" + EDIT
        )
    )

    assert len(shop.on_remote()) == 2


async def test_red_checks_go_back_to_the_agent_until_they_are_green(shop: Workshop) -> None:
    task = await shop.task("Add one", checklist=[ChecklistItemDraft(text="It works", check="unit")])
    shop.checks.append(Check(name="unit", run="cat one.txt; grep -q right one.txt"))

    ran = await shop.run(
        shop.agent("pathlib.Path('one.txt').write_text('right' if 'a wrong answer' in prompt else 'a wrong answer')")
    )

    assert [one.names for one in ran.of(told.ChecksRed)] == [("unit",)]
    assert [one.result.passed for one in ran.of(told.CheckFinished)] == [False, True]
    now = await shop.now(task)
    assert now.status is Status.IN_REVIEW
    assert one_of(now.checklist).done
    assert shop.git("show", "locus/sprint-1:one.txt", cwd=shop.remote) == "right"


async def test_what_a_check_writes_is_not_committed(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks.append(Check(name="unit", run="date > report.xml; test -e second || ! test -e first"))

    await shop.run(shop.agent("pathlib.Path('first' if not os.path.exists('first') else 'second').touch()"))

    changed = shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote).splitlines()
    assert changed == ["first", "second"]


async def test_a_check_that_is_not_always_run_is_run_for_the_tasks_that_name_it(shop: Workshop) -> None:
    await shop.task("Plain")
    await shop.task("Special", checklist=[ChecklistItemDraft(text="It works", check="special")])
    shop.checks += [Check(name="unit", run="true"), Check(name="special", run="true", always=False)]

    ran = await shop.run(shop.agent(EDIT))

    assert [(one.key, one.result.check.name) for one in ran.of(told.CheckFinished)] == [
        ("WEB-1", "unit"),
        ("WEB-2", "unit"),
        ("WEB-2", "special"),
    ]


async def test_rejected_work_comes_back_with_the_feedback_in_the_prompt(shop: Workshop) -> None:
    task = await shop.task("Add one")
    await shop.run(shop.agent(EDIT))
    await shop.plane.tasks.set_status(task.id, StatusChange(status=Status.BACKLOG, feedback="Spell it with a capital."))

    await shop.run(shop.agent("assert 'Spell it with a capital.' in prompt\npathlib.Path('two.txt').touch()"))

    assert (await shop.now(task)).status is Status.IN_REVIEW
    assert len(shop.on_remote()) == 2


async def test_setup_commands_run_before_the_agent_and_copies_are_there_but_not_committed(shop: Workshop) -> None:
    await shop.task("Add one")
    (shop.root / ".env").write_text("TOKEN=1")
    await shop.look_again()
    project = Project(root=shop.root, copy=(".env",), setup=("echo made > tool.txt",))
    agent = shop.agent(
        "assert pathlib.Path('.env').read_text() == 'TOKEN=1'\npathlib.Path('tool.txt').rename('one.txt')"
    )

    ran = await shop.run(agent, project=project)

    assert ran.result.succeeded
    assert shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote) == "one.txt"


async def test_at_the_end_there_is_one_description_for_review_and_the_base_is_checked_out(shop: Workshop) -> None:
    await shop.task("Add | one")
    ran = await shop.run(shop.agent(EDIT))

    ready = one_of(ran.of(told.PullRequestReady))
    assert ready.path is not None
    body = Path(ready.path).read_text()
    assert "Sprint 1: Sign-in" in body
    assert "**WEB-1** Add \\| one" in body
    tree = one_of(list((shop.state / "repositories").glob("*/1/tree/checkout")))
    assert not (tree / "WEB-1.txt").exists()
    assert (tree / "README.md").exists()


async def test_a_second_run_on_a_drained_sprint_adds_nothing(shop: Workshop) -> None:
    await shop.task("Add one")
    await shop.run(shop.agent(EDIT))

    ran = await shop.run(shop.agent(EDIT))

    assert ran.result.succeeded
    assert ran.of(told.TaskClaimed) == []
    assert len(shop.on_remote()) == 1


async def test_the_limit_of_tasks_is_kept(shop: Workshop) -> None:
    for number in range(3):
        await shop.task(f"Add {number}")

    ran = await shop.run(shop.agent(EDIT), max_tasks=2)

    assert len(ran.of(told.TaskEnded)) == 2
    assert ran.of(told.PullRequestReady) == []


async def test_numbers_are_reported_and_nothing_that_the_agent_wrote_or_said(shop: Workshop) -> None:
    task = await shop.task("Add one")

    await shop.run(shop.agent("print('a secret word')\npathlib.Path('hidden-name.txt').write_text('1\\n2\\n')"))

    attempt = one_of([attempt async for attempt in shop.plane.tasks.attempts(task.id)])
    assert attempt.numbers is not None
    assert (attempt.numbers.files, attempt.numbers.lines_added) == (1, 2)
    rows = await shop.server.pool.fetch("SELECT row_to_json(a)::text AS row FROM attempts a")
    rows += await shop.server.pool.fetch("SELECT row_to_json(e)::text AS row FROM events e")
    stored = "".join(row["row"] for row in rows)
    assert "secret word" not in stored
    assert "hidden-name" not in stored


async def test_two_workers_share_a_sprint_and_do_every_task_once(shop: Workshop) -> None:
    tasks = [await shop.task(f"Add {number}") for number in range(6)]
    agent = shop.agent(EDIT)
    one, two = shop.worker(agent), shop.worker(agent)
    said = shop.said

    async with one.work.plane, two.work.plane:
        results = await asyncio.gather(one.run(), two.run())

    assert all(result.succeeded for result in results)
    assert sorted(shop.on_remote()) == [f"WEB-{number}: Add {number - 1}" for number in range(1, 7)]
    assert {(await shop.now(task)).status for task in tasks} == {Status.IN_REVIEW}
    assert len([one for one in said if isinstance(one, told.TaskEnded) and isinstance(one.outcome, Completed)]) >= 3


async def test_a_run_in_place_works_in_the_checkout_and_gives_it_back(shop: Workshop) -> None:
    await shop.task("Add one")
    before = shop.fingerprint()

    ran = await shop.run(shop.agent(f"assert os.getcwd() == {str(shop.root)!r}\n" + EDIT), in_place=True)

    assert ran.result.succeeded
    assert shop.on_remote() == ["WEB-1: Add one"]
    assert {name for name in shop.fingerprint() if not name.startswith(".git/")} == {
        name for name in before if not name.startswith(".git/")
    }
    assert shop.git("status", "--porcelain") == ""
    assert shop.git("branch", "--show-current") == "main"
