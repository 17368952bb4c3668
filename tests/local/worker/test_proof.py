"""What a change must prove, and what holds it back, with real checks in real trees."""

import asyncio

from tests.local.worker.test_failures import blocked, failures, nothing_on_the_remote
from tests.support.polling import until
from tests.support.workshop import Ran, Workshop, one_of

from locus.local.project import Check, Project, load
from locus.local.worker import told
from locus.wire.tasks import BlockedReason, ChecklistItemDraft, Status, TaskEdit
from locus.wire.work import FailReason

EDIT = "pathlib.Path('one.txt').write_text('done\\n')"
AWS = "AKIA" + "QX7LZ3MNPT5RWU2V"  # in two parts, so that this file holds nothing that looks like a secret
RED_FIRST = ChecklistItemDraft(text="The bug has a test", check="unit", red_first=True)
# Runs every tests/*.sh, and counts them as a runner would.
RUNNER = 'n=0; for t in tests/*.sh; do sh "$t" || exit 1; n=$((n+1)); done; echo "$n passed in 0.01s"'


def write(path: str, text: str) -> str:
    return f"p = pathlib.Path({path!r}); p.parent.mkdir(parents=True, exist_ok=True); p.write_text({text!r})"


def finished(ran: Ran) -> list[tuple[str, bool]]:
    return [(one.result.check.name, one.result.passed) for one in ran.of(told.CheckFinished)]


async def add(shop: Workshop, files: dict[str, str]) -> None:
    """Commit files to the user's checkout and push them."""
    for name, text in files.items():
        path = shop.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shop.git("add", "--all")
    shop.git("commit", "--quiet", "--message", "More")
    shop.git("push", "--quiet", "origin", "main")
    await shop.look_again()


async def test_a_check_with_paths_runs_only_for_changes_that_touch_them_or_tasks_that_name_it(shop: Workshop) -> None:
    await shop.task("Plain")
    await shop.task("Named", checklist=[ChecklistItemDraft(text="x", check="docs")])
    shop.checks += [Check("unit", "true"), Check("docs", "true", paths=("docs/**",))]

    ran = await shop.run(shop.agent("pathlib.Path(prompt.split('# Your task: ')[1].split()[0]).touch()"))

    assert [(one.key, one.result.check.name) for one in ran.of(told.CheckFinished)] == [
        ("WEB-1", "unit"),
        ("WEB-2", "unit"),
        ("WEB-2", "docs"),
    ]


async def test_a_check_that_the_workspace_requires_runs_for_every_task(shop: Workshop) -> None:
    await shop.server.pool.execute(
        "UPDATE workspaces SET required_checks = '{lint}' WHERE id = $1", shop.server.workspace.id
    )
    task = await shop.task("Add one")
    shop.checks.append(Check("lint", "true", always=False))

    ran = await shop.run(shop.agent(EDIT))

    assert finished(ran) == [("lint", True)]
    assert (await shop.now(task)).status is Status.IN_REVIEW


async def test_checks_see_the_tree_that_is_committed_and_nothing_beside_it(shop: Workshop) -> None:
    await add(shop, {".gitignore": "cache/\n"})
    await shop.task("Add one")
    shop.checks.append(Check("unit", "test -e cache/kept && test ! -e inner && test ! -e .git/hooks/pre-commit"))

    ran = await shop.run(
        shop.agent(
            f"{EDIT}\nos.mkdir('cache'); pathlib.Path('cache/kept').touch()\nos.mkdir('inner')\n"
            "os.makedirs('.git/hooks', exist_ok=True); pathlib.Path('.git/hooks/pre-commit').touch()"
        )
    )

    assert finished(ran) == [("unit", True)]


async def test_a_check_that_mends_the_files_does_not_make_the_next_one_green(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks += [Check("first", "echo mended > one.txt"), Check("second", "grep -q mended one.txt")]

    ran = await shop.run(shop.agent(EDIT), check_rounds=0, max_tasks=1)

    assert finished(ran) == [("first", True), ("second", False)]
    assert one_of(failures(ran)).reason is FailReason.CHECKS_FAILED


async def test_what_the_agent_left_running_cannot_change_the_files_between_reading_and_checking(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks.append(Check("unit", 'before=$(cat one.txt); sleep 0.5; test "$before" = "$(cat one.txt)"'))

    ran = await shop.run(
        shop.agent(
            f"{EDIT}\nsubprocess.Popen(['sh', '-c', 'while :; do date +%N > one.txt; sleep 0.02; done'],"
            " start_new_session=True, env={'PATH': os.environ['PATH']},"
            " stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)"
        ),
        max_tasks=1,
    )

    assert finished(ran) == [("unit", True)]
    assert ran.result.succeeded


async def test_the_checks_are_those_of_the_users_checkout_and_a_difference_is_told_once(shop: Workshop) -> None:
    await add(shop, {".locus/config.toml": '[checks.unit]\nrun = "true"\n'})
    (shop.root / ".locus/config.toml").write_text('[checks.unit]\nrun = "test -e one.txt"\n')
    await shop.look_again()
    await shop.task("Add one")
    await shop.task("Add two")

    ran = await shop.run(shop.agent(EDIT.replace("'one.txt'", "f'{len(os.listdir())}.txt'")), project=load(shop.root))

    told_of_it = [note.text for note in ran.of(told.Note) if ".locus/config.toml" in note.text]
    assert len(told_of_it) == 1
    assert "your checkout" in told_of_it[0]


async def test_a_test_that_fails_without_the_change_is_seen_red_first(shop: Workshop) -> None:
    await add(shop, {"tests/a.sh": "true\n"})
    task = await shop.task("Mend it", checklist=[RED_FIRST])
    shop.checks.append(Check("unit", RUNNER, test_files=("tests/**",)))

    ran = await shop.run(shop.agent(f"{EDIT}\n{write('tests/b.sh', 'grep -q done one.txt')}"))

    assert ran.result.succeeded
    now = await shop.now(task)
    assert (now.status, one_of(now.checklist).done) == (Status.IN_REVIEW, True)
    attempt = one_of([one async for one in shop.plane.tasks.attempts(task.id)])
    assert [(item.check, item.red_first) for item in attempt.evidence] == [("unit", True)]
    assert sorted(shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote).split()) == [
        "one.txt",
        "tests/b.sh",
    ]


async def test_a_test_that_passes_without_the_change_goes_back_to_the_agent(shop: Workshop) -> None:
    await add(shop, {"tests/a.sh": "true\n"})
    task = await shop.task("Mend it", checklist=[RED_FIRST])
    shop.checks.append(Check("unit", RUNNER, test_files=("tests/**",)))
    weak, strong = write("tests/b.sh", "true"), write("tests/b.sh", "grep -q done one.txt")

    ran = await shop.run(shop.agent(f"{EDIT}\nif 'prove nothing' in prompt:\n    {strong}\nelse:\n    {weak}"))

    assert [one.names for one in ran.of(told.ChecksRed)] == [("unit",)]
    assert (await shop.now(task)).status is Status.IN_REVIEW


async def test_a_change_without_a_test_is_not_red_first(shop: Workshop) -> None:
    await add(shop, {"tests/a.sh": "true\n"})
    await shop.task("Mend it", checklist=[RED_FIRST])
    shop.checks.append(Check("unit", RUNNER, test_files=("tests/**",)))

    ran = await shop.run(shop.agent(EDIT), check_rounds=0, max_tasks=1)

    assert one_of(failures(ran)).reason is FailReason.CHECKS_FAILED
    assert nothing_on_the_remote(shop)


async def test_a_secret_goes_back_to_the_agent_once_and_is_named_by_its_place_only(shop: Workshop) -> None:
    task = await shop.task("Add one")

    ran = await shop.run(
        shop.agent(f"pathlib.Path('one.txt').write_text('clean' if 'holds secrets' in prompt else 'a\\n{AWS}\\n')")
    )

    assert ran.result.succeeded
    assert (await shop.now(task)).status is Status.IN_REVIEW
    assert shop.git("show", "locus/sprint-1:one.txt", cwd=shop.remote) == "clean"
    [note] = [one.text for one in ran.of(told.Note) if "secrets" in one.text]
    assert "one.txt:2 (AWS Access Key)" in note
    assert AWS not in "".join(map(repr, ran.said))


async def test_a_secret_that_stays_keeps_the_change_off_the_remote(shop: Workshop) -> None:
    task = await shop.task("Add one")

    ran = await shop.run(shop.agent(f"pathlib.Path('one.txt').write_text('{AWS}  # pragma: allowlist secret')"))

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.POLICY
    assert "one.txt:1" in failure.detail
    assert AWS not in failure.detail
    assert await blocked(shop, task) is BlockedReason.POLICY
    assert nothing_on_the_remote(shop)
    assert len(ran.of(told.AgentStarted)) == 2


async def test_a_change_that_weakens_tests_waits_for_a_person_unless_the_project_says_otherwise(
    shop: Workshop,
) -> None:
    await add(shop, {"tests/test_it.py": "def test_a():\n    assert 1 + 1 == 2\n\ndef test_b():\n    assert True\n"})
    task = await shop.task("Tidy up")
    agent = shop.agent(write("tests/test_it.py", "def test_b():\n    assert True\n"))

    ran = await shop.run(agent)

    assert "one test fewer" in one_of(failures(ran)).detail
    assert await blocked(shop, task) is BlockedReason.POLICY
    free = await shop.task("Tidy up freely")
    await shop.run(agent, project=Project(root=shop.root, protected_tests=False))
    assert (await shop.now(free)).status is Status.IN_REVIEW


async def test_a_check_that_is_asked_for_while_the_work_is_done_gives_the_task_back(shop: Workshop) -> None:
    task = await shop.task("Add one")
    shop.checks += [Check("unit", "true"), Check("lint", "true", always=False)]
    go = shop.place / "go"
    wait = f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\n"
    running = asyncio.ensure_future(shop.run(shop.agent(f"{wait}{EDIT}"), max_tasks=1))

    async def started() -> bool:
        return any(isinstance(one, told.AgentStarted) for one in shop.said)

    await until(started)
    now = await shop.now(task)

    asked = TaskEdit(checklist=[ChecklistItemDraft(text="Lint", check="lint")])
    await shop.plane.tasks.edit(task.id, asked, version=now.version)
    go.touch()
    await running

    now = await shop.now(task)
    assert (now.status, now.attempts, now.commit) == (Status.BACKLOG, 1, None)
    attempt = one_of([one async for one in shop.plane.tasks.attempts(task.id)])
    assert attempt.fail_reason is FailReason.CHECKS_FAILED
