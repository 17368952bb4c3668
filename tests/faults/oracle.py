"""What became of the work, judged from outside: PostgreSQL, the bare remote, the process table, the user's files.

A program of its own. It imports nothing of the product and asks it nothing: it reads tables by SQL, the remote by git,
processes in /proc. What it is asked comes as JSON on stdin, its judgements go as JSON to stdout; each is a list of
violations, and every list has to be empty.

    python tests/faults/oracle.py < question.json
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

TASK = re.compile(r"^Task: (\S+)$", re.MULTILINE)
ATTEMPT = re.compile(r"^Attempt: (\d+)$", re.MULTILINE)


@dataclass
class Question:
    """Where to look. `places` are the folders of machines; `checkouts` are folders with what they were like before."""

    dsn: str
    workspace: str
    bare: str
    branch: str
    base: str = "main"
    places: list[str] = field(default_factory=list)
    checkouts: dict[str, str] = field(default_factory=dict)
    pulls: list[dict[str, str]] = field(default_factory=list)
    finished: bool = True  # whether every task should be in review by now
    excused: list[str] = field(default_factory=list)  # tasks that need not be


@dataclass
class Facts:
    """What was found."""

    tasks: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    events: list[dict[str, Any]]
    commits: list[dict[str, Any]]  # of the branch, oldest first: sha, task, attempt
    branches: list[str]
    processes: list[str]
    checkouts: dict[str, str]


async def collect(question: Question) -> Facts:
    """Look everywhere once."""
    db = await asyncpg.connect(question.dsn)
    try:
        tasks = await db.fetch(
            """SELECT w.prefix || '-' || t.number AS key, t.id::text, t.status, t.blocked_reason, t.commit_sha, t.fence,
                      t.attempts, t.lease_expires_at > clock_timestamp() + interval '1 hour' AS lease_too_long
                 FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
                WHERE t.workspace_id = $1::text::uuid ORDER BY t.number""",
            question.workspace,
        )
        attempts = await db.fetch(
            """SELECT task_id::text AS task, fence, outcome, commit_sha, claimed_at, ended_at
                 FROM attempts WHERE workspace_id = $1::text::uuid ORDER BY task_id, fence""",
            question.workspace,
        )
        events = await db.fetch(
            """SELECT seq, kind, task_id::text AS task, detail::text AS detail, created_at
                 FROM events WHERE workspace_id = $1::text::uuid ORDER BY seq NULLS LAST, id""",
            question.workspace,
        )
    finally:
        await db.close()
    return Facts(
        tasks=[dict(row) for row in tasks],
        attempts=[dict(row) for row in attempts],
        events=[dict(row) | {"detail": json.loads(row["detail"])} for row in events],
        commits=commits(question.bare, f"{question.base}..{question.branch}"),
        branches=git(question.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split(),
        processes=processes(question.places),
        checkouts={path: fingerprint(Path(path)) for path in question.checkouts},
    )


def git(bare: str, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(
        ["git", f"--git-dir={bare}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else ""


def commits(bare: str, span: str) -> list[dict[str, Any]]:
    said = git(bare, "log", "--reverse", "--format=%H%x00%B%x1e", span)
    found = []
    for entry in said.split("\x1e"):
        sha, _, body = entry.strip("\n").partition("\0")
        if not sha:
            continue
        task, attempt = TASK.search(body), ATTEMPT.search(body)
        found.append({"sha": sha, "task": task[1] if task else None, "attempt": int(attempt[1]) if attempt else None})
    return found


def processes(places: Iterable[str]) -> list[str]:
    """Living processes whose environment names a machine's folder. Whoever asks is none of them."""
    marks = [f"{place}/".encode() for place in places]
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if state != "Z" and any(mark in environment for mark in marks):
            found.append(f"{entry.name}: {command[:120]}")
    return found


def fingerprint(root: Path) -> str:
    """A hash of every byte, name, mode and link below a folder, .git included."""
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        whole.update(f"{path.relative_to(root)}\0{status.st_mode:o}\0".encode(errors="surrogateescape"))
        if path.is_symlink():
            whole.update(os.fsencode(path.readlink()))
        elif path.is_file():
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


# ---- judgements: each returns what is wrong


def lost(question: Question, facts: Facts) -> list[str]:
    """Tasks that nobody will do, though nobody said so: neither in review, nor claimable, nor blocked with a reason.

    When all is over every task has to be in review; but for those that were given up after three lost workers.
    """
    wrong = []
    gone = given_up(facts)
    for task in facts.tasks:
        status = task["status"]
        fine = {"IN_REVIEW", "DONE"} if question.finished else {"IN_REVIEW", "DONE", "BACKLOG", "IN_PROGRESS"}
        if status in fine or task["key"] in question.excused or task["key"] in gone:
            continue
        if status == "BLOCKED" and task["blocked_reason"] and not question.finished:
            continue
        wrong.append(f"{task['key']} is {status} {task['blocked_reason'] or ''}".strip())
    return wrong


def given_up(facts: Facts) -> list[str]:
    """Tasks that wait for a person because the leases of three attempts ran out: as it was promised, not lost."""
    expired = [attempt["task"] for attempt in facts.attempts if attempt["outcome"] == "expired"]
    return [
        task["key"]
        for task in facts.tasks
        if task["blocked_reason"] == "attempts_exhausted" and expired.count(task["id"]) >= 3
    ]


def stuck(question: Question, facts: Facts) -> list[str]:
    """Leases that end later than any lease may."""
    return [f"{task['key']} is leased for more than an hour" for task in facts.tasks if task["lease_too_long"]]


def twice_on_the_remote(question: Question, facts: Facts) -> list[str]:
    """Tasks of which the branch has more than one commit."""
    counted: dict[str, int] = {}
    for commit in facts.commits:
        if commit["task"]:
            counted[commit["task"]] = counted.get(commit["task"], 0) + 1
    return [f"{key} has {number} commits" for key, number in counted.items() if number > 1]


def twice_at_the_server(question: Question, facts: Facts) -> list[str]:
    """Tasks that were completed more than once, by events or by attempts."""
    names = {task["id"]: task["key"] for task in facts.tasks}
    wrong = []
    for kind, rows in (
        ("events", [event["task"] for event in facts.events if event["kind"] == "task.completed"]),
        ("attempts", [attempt["task"] for attempt in facts.attempts if attempt["outcome"] == "completed"]),
    ):
        wrong += [f"{names.get(task, task)}: {rows.count(task)} {kind}" for task in set(rows) if rows.count(task) > 1]
    return wrong


def in_review_without_commit(question: Question, facts: Facts) -> list[str]:
    """Tasks in review whose commit is not on the branch of the remote, or is not of that task and attempt."""
    there = {commit["sha"]: commit for commit in facts.commits}
    completed = {attempt["task"]: attempt for attempt in facts.attempts if attempt["outcome"] == "completed"}
    wrong = []
    for task in facts.tasks:
        if task["status"] not in ("IN_REVIEW", "DONE"):
            continue
        commit = there.get(task["commit_sha"])
        attempt = completed.get(task["id"])
        if commit is None:
            wrong.append(f"{task['key']}: {task['commit_sha']} is not on the remote")
        elif commit["task"] != task["key"]:
            wrong.append(f"{task['key']}: {task['commit_sha'][:10]} is of {commit['task']}")
        elif attempt is None or commit["attempt"] is None or commit["attempt"] > attempt["fence"]:
            wrong.append(f"{task['key']}: {task['commit_sha'][:10]} is of another attempt")
    return wrong


def overlapping(question: Question, facts: Facts) -> list[str]:
    """Attempts at one task that were going on at once, or whose fence did not grow."""
    wrong = []
    by_task: dict[str, list[dict[str, Any]]] = {}
    for attempt in facts.attempts:
        by_task.setdefault(attempt["task"], []).append(attempt)
    for task, rows in by_task.items():
        rows.sort(key=lambda row: row["claimed_at"])
        for earlier, later in pairwise(rows):
            if later["claimed_at"] < earlier["ended_at"] or later["fence"] <= earlier["fence"]:
                wrong.append(f"{task}: fences {earlier['fence']} and {later['fence']}")
    claims: dict[str, list[int]] = {}
    for event in facts.events:
        if event["kind"] == "task.claimed":
            claims.setdefault(event["task"], []).append(int(event["detail"].get("fence", 0)))
    wrong += [f"{task}: claimed with {fences}" for task, fences in claims.items() if fences != sorted(set(fences))]
    return wrong


def events_with_gaps(question: Question, facts: Facts) -> list[str]:
    """Numbers of events that are missing or there twice."""
    numbers = [event["seq"] for event in facts.events if event["seq"] is not None]
    return [] if numbers == list(range(1, len(numbers) + 1)) else [f"{len(numbers)} events up to {max(numbers)}"]


def stray_branches(question: Question, facts: Facts) -> list[str]:
    """Branches of the remote that nobody asked for."""
    return [name for name in facts.branches if name not in (question.base, question.branch)]


def second_pull_requests(question: Question, facts: Facts) -> list[str]:
    """Branches with more than one pull request."""
    heads = [pull["head"] for pull in question.pulls]
    return [f"{head}: {heads.count(head)} pull requests" for head in set(heads) if heads.count(head) > 1]


def survivors(question: Question, facts: Facts) -> list[str]:
    """Processes of a machine that are still alive."""
    return facts.processes


def changed_checkouts(question: Question, facts: Facts) -> list[str]:
    """Checkouts of a user in which one byte is not as before."""
    return [path for path, was in question.checkouts.items() if facts.checkouts[path] != was]


JUDGEMENTS = (
    lost,
    stuck,
    twice_on_the_remote,
    twice_at_the_server,
    in_review_without_commit,
    overlapping,
    events_with_gaps,
    stray_branches,
    second_pull_requests,
    survivors,
    changed_checkouts,
)


def judge(question: Question, facts: Facts) -> dict[str, list[str]]:
    return {judgement.__name__: judgement(question, facts) for judgement in JUDGEMENTS}


def main() -> None:
    question = Question(**json.load(sys.stdin))
    facts = asyncio.run(collect(question))
    told = judge(question, facts)
    json.dump({"judgements": told, "counted": counted(facts)}, sys.stdout)


def counted(facts: Facts) -> dict[str, int]:
    """How much there was to judge: an oracle that saw nothing has shown nothing."""
    return {
        "tasks": len(facts.tasks),
        "in_review": sum(task["status"] in ("IN_REVIEW", "DONE") for task in facts.tasks),
        "attempts": len(facts.attempts),
        "events": len(facts.events),
        "commits": len(facts.commits),
        "given_up": len(given_up(facts)),
        "expired": sum(attempt["outcome"] == "expired" for attempt in facts.attempts),
    }


if __name__ == "__main__":
    main()
