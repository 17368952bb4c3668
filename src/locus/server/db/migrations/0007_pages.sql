-- What the pages read, and what docs gained for them: groups and a history.

-- By which events a task can come into a sprint. Claims and outcomes are not in it, so they do not pay for it.
CREATE INDEX events_entering_sprint ON events (workspace_id, sprint_id, task_id)
    WHERE sprint_id IS NOT NULL AND kind IN ('task.created', 'task.edited', 'task.moved');
-- When people accepted work: the history that forecasts are made from.
CREATE INDEX events_accepted ON events (workspace_id, created_at)
    WHERE kind = 'task.status' AND detail ->> 'status' = 'DONE';
CREATE INDEX attempts_by_end ON attempts (workspace_id, ended_at);
CREATE INDEX tasks_needing_people ON tasks (workspace_id, id) WHERE status IN ('IN_REVIEW', 'BLOCKED');

-- A group is there as long as a doc is in it.
ALTER TABLE docs ADD COLUMN group_name text NOT NULL DEFAULT '';
CREATE INDEX docs_by_group ON docs (workspace_id, group_name, title);

-- Every version of a doc, the current one too.
CREATE TABLE doc_versions (
    workspace_id  uuid NOT NULL,
    doc_id        uuid NOT NULL,
    version       integer NOT NULL,
    title         text NOT NULL,
    kind          text NOT NULL,
    text          text NOT NULL,
    author_name   text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, doc_id, version),
    FOREIGN KEY (workspace_id, doc_id) REFERENCES docs (workspace_id, id) ON DELETE CASCADE
);
INSERT INTO doc_versions (workspace_id, doc_id, version, title, kind, text, author_name, created_at)
SELECT workspace_id, id, version, title, kind, text, 'locus', updated_at FROM docs;

-- What a workspace means to spend in a day; null: nobody has said.
ALTER TABLE workspaces ADD COLUMN daily_budget_usd_micros bigint CHECK (daily_budget_usd_micros > 0);
