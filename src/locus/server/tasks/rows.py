"""A task's row as the wire's Task: the columns that every statement returning tasks selects, and how they are read."""

from typing import Any, Protocol

import msgspec

from locus.wire.tasks import BlockedReason, ChecklistItem, Phase, Priority, Role, Status, Task

CHECKLIST = msgspec.json.Decoder(list[ChecklistItem])

# For a statement that names the tasks `t` and their workspace `w`.
COLUMNS = """
    t.id, t.workspace_id, w.prefix || '-' || t.number AS key, t.number, t.sprint_id, t.parent_id, t.title,
    t.description, t.status, t.blocked_reason, t.priority::text AS priority, t.role, t.labels, t.assignee, t.due_on,
    t.checklist,
    ARRAY(SELECT td.depends_on_id FROM task_dependencies td
           WHERE td.workspace_id = t.workspace_id AND td.task_id = t.id ORDER BY td.depends_on_id) AS depends_on,
    ARRAY(SELECT ti.doc_id FROM task_docs ti
           WHERE ti.workspace_id = t.workspace_id AND ti.task_id = t.id ORDER BY ti.doc_id) AS doc_ids,
    t.position, t.attempts, w.attempt_cap, t.fence, t.lease_agent_id,
    (SELECT a.name FROM agents a WHERE a.workspace_id = t.workspace_id AND a.id = t.lease_agent_id) AS agent_name,
    t.phase, t.cancel_requested, t.commit_sha, t.branch, t.pull_request_url, t.version, t.created_at, t.updated_at
"""

# True for a task `t` whose dependencies are not all in review or done: it waits, whoever asks for work.
WAITING = """
    EXISTS (SELECT 1 FROM task_dependencies td
              JOIN tasks needed ON needed.workspace_id = td.workspace_id AND needed.id = td.depends_on_id
             WHERE td.workspace_id = t.workspace_id AND td.task_id = t.id
               AND needed.status NOT IN ('IN_REVIEW', 'DONE'))
"""


class Row(Protocol):
    """A record of the database: values by the names of columns."""

    def __getitem__(self, name: str, /) -> Any: ...


def read(row: Row) -> Task:
    """The task of a row that has COLUMNS."""
    return Task(
        id=row["id"],
        workspace_id=row["workspace_id"],
        key=row["key"],
        number=row["number"],
        sprint_id=row["sprint_id"],
        parent_id=row["parent_id"],
        title=row["title"],
        description=row["description"],
        status=Status(row["status"]),
        blocked_reason=None if row["blocked_reason"] is None else BlockedReason(row["blocked_reason"]),
        priority=Priority(row["priority"]),
        role=None if row["role"] is None else Role(row["role"]),
        labels=row["labels"],
        assignee=row["assignee"],
        due_on=row["due_on"],
        checklist=CHECKLIST.decode(row["checklist"]),
        depends_on=row["depends_on"],
        doc_ids=row["doc_ids"],
        position=row["position"],
        attempts=row["attempts"],
        attempt_cap=row["attempt_cap"],
        fence=row["fence"],
        agent_id=row["lease_agent_id"],
        agent_name=row["agent_name"],
        phase=None if row["phase"] is None else Phase(row["phase"]),
        cancel_requested=row["cancel_requested"],
        commit=row["commit_sha"],
        branch=row["branch"],
        pull_request_url=row["pull_request_url"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
