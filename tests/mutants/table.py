"""The mutants: what the product would be if a guard were left out, and the tests that have to notice.

Most are faults that a product of this kind has really had. An edit is a piece of a file and what stands there instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "locus"


@dataclass(frozen=True)
class Edit:
    file: str  # below src/locus
    old: str
    new: str

    def applied(self, text: str) -> str:
        """The file's text with the edit. Raises ValueError when its piece is not there exactly once."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has the piece {text.count(self.old)} times: {self.old[:80]!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """`tests` are what pytest is given; at least one of them has to fail."""

    name: str
    title: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


HELD = """t.workspace_id = $1 AND t.id = $2 AND $3::int IS NOT NULL AND t.status = 'IN_PROGRESS'
           AND a.workspace_id = $1 AND a.id = t.lease_agent_id AND a.key_id = $4"""

MUTANTS = (
    Mutant(
        "M1",
        "a task is found first and taken afterwards",
        (
            Edit(
                "server/dispatch/claims.py",
                "         LIMIT (SELECT count(*) FROM wanting)\n           FOR NO KEY UPDATE OF t SKIP LOCKED\n",
                "         LIMIT (SELECT count(*) FROM wanting)\n",
            ),
        ),
        ("tests/server/dispatch/test_claims.py::test_claims_at_the_same_moment_never_get_the_same_task",),
    ),
    Mutant(
        "M2",
        "leases are reaped by when they were claimed",
        (
            Edit(
                "server/dispatch/outcomes.py",
                "t.status = 'IN_PROGRESS' AND t.lease_expires_at <= clock_timestamp()",
                "t.status = 'IN_PROGRESS' AND t.claimed_at <= clock_timestamp() - interval '10 minutes'",
            ),
        ),
        ("tests/server/dispatch/test_reaper.py::test_a_lease_that_has_run_out_goes_back_to_the_backlog_and_counts",),
    ),
    Mutant(
        "M3",
        "a heartbeat is taken whatever its fence",
        (
            Edit(
                "server/dispatch/leases.py",
                "          FROM agents a WHERE {HELD}\n        RETURNING a.id AS agent_id",
                f"          FROM agents a WHERE {HELD}\n        RETURNING a.id AS agent_id",
            ),
        ),
        ("tests/server/dispatch/test_leases.py::test_a_write_with_a_stale_fence_is_refused_and_changes_nothing",),
    ),
    Mutant(
        "M4",
        "a completion is taken whatever its fence, and after the end of its lease",
        (
            Edit(
                "server/dispatch/outcomes.py",
                "         WHERE {HELD} AND w.id = $1 AND w.required_checks",
                f"         WHERE {HELD} AND w.id = $1 AND w.required_checks",
            ),
        ),
        ("tests/server/dispatch/test_leases.py::test_a_write_with_a_stale_fence_is_refused_and_changes_nothing",),
    ),
    Mutant(
        "M5",
        "a push that was refused counts as pushed",
        (
            Edit(
                "local/worker/delivery.py",
                "                    raise Ended(REFUSALS.get(reason, FailReason.PUSH_REFUSED), text)",
                "                    return self.commit",
            ),
        ),
        ("tests/local/worker/test_failures.py::test_a_remote_that_refuses_the_push_leaves_the_task_out_of_review",),
    ),
    Mutant(
        "M6",
        "what changed is looked for against the base branch, so the second task of a run always changed something",
        (
            Edit(
                "local/worker/task_run.py",
                "changes = await self.site.changes(self.base)",
                "changes = await self.site.changes(self.site.fetched.base)",
            ),
        ),
        ("tests/local/worker/test_failures.py::test_nothing_is_compared_with_the_tasks_own_base_and_not_with_main",),
    ),
    Mutant(
        "M7",
        "the last words of the agent are reported",
        (
            Edit(
                "local/worker/task_run.py",
                "        return Completed(commit, self.site.branch, evidence,",
                "        words = (self.attempt.records.place / 'transcript.jsonl').read_text().split()\n"
                "        self.attempt.spending.model = words[-1] if words else None\n"
                "        return Completed(commit, self.site.branch, evidence,",
            ),
        ),
        ("tests/faults/test_words.py",),
    ),
    Mutant(
        "M8",
        "tries at a code are read, checked and written back",
        (
            Edit(
                "server/auth/codes.py",
                "    UPDATE sign_in_codes SET tries = tries + 1\n     WHERE request = $1 AND user_id IS NOT DISTINCT",
                "    SELECT id, email, code, tries FROM sign_in_codes\n"
                "     WHERE request = $1 AND user_id IS NOT DISTINCT",
            ),
            Edit(
                "server/auth/codes.py",
                "AND tries < {TRIES}\n    RETURNING id, email, code\n",
                "AND tries < {TRIES}\n",
            ),
            Edit(
                "server/auth/codes.py",
                "    row = await db.fetchrow(TRY, hashed(request), user_id)\n",
                "    row = await db.fetchrow(TRY, hashed(request), user_id)\n"
                "    if row is not None:\n"
                "        tried = 'UPDATE sign_in_codes SET tries = $2 WHERE id = $1'\n"
                "        await db.execute(tried, row['id'], row['tries'] + 1)\n",
            ),
        ),
        ("tests/faults/test_guesses.py",),
    ),
    Mutant(
        "M9",
        "a task is read by its id, whatever the workspace",
        (
            Edit(
                "server/tasks/store.py",
                "     WHERE t.workspace_id = $1 AND t.id = $2\n",
                "     WHERE $1::uuid IS NOT NULL AND t.id = $2\n",
            ),
        ),
        ("tests/server/tasks/test_access.py::test_what_is_not_here_and_what_is_somebody_elses_get_the_same_answer",),
    ),
    Mutant(
        "M10",
        "only the agent itself is ended, not what it started",
        (
            Edit("local/process/child.py", "os.killpg(self.pid, number)", "os.kill(self.pid, number)"),
            Edit("local/process/child.py", "await tree.end_tree(self._tree)", "pass"),
        ),
        ("tests/local/test_process_end.py",),
    ),
    Mutant(
        "M11",
        "events are read by a number that is given when they are inserted",
        (Edit("server/events/sequencer.py", "        self.seq += 1\n", '        self.seq = row["id"]\n'),),
        (
            "tests/server/events/test_sequencer.py::test_an_event_that_is_committed_late_is_numbered_after_those_that_were_seen",
        ),
    ),
    Mutant(
        "M12",
        "the lock of a tree is closed when its agent is started",
        (
            Edit(
                "local/worker/conversation.py",
                "descriptors=(attempt.site.clone.lock.fd,),",
                "descriptors=(),",
            ),
        ),
        ("tests/faults/test_orphans.py",),
    ),
)
