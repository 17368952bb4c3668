-- Plans that wait for a person, and what became of them. The id is made by who proposes, so that asking twice is once.
CREATE TABLE plans (
    workspace_id  uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id            uuid NOT NULL,
    status        text NOT NULL CHECK (status IN ('PROPOSED', 'APPROVED', 'REJECTED', 'CANCELLED')),
    draft         jsonb NOT NULL,
    feedback      text,
    sprint_id     uuid,
    task_ids      uuid[] NOT NULL DEFAULT '{}',  -- in the order of the plan
    proposed_by   text NOT NULL,
    decided_by    text,
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, sprint_id) REFERENCES sprints (workspace_id, id) ON DELETE SET NULL (sprint_id)
);
CREATE INDEX plans_newest ON plans (workspace_id, created_at DESC, id DESC);
