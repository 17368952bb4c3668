-- The tables of the foundation. workspace_id leads every key, so that no lookup can leave its workspace and a
-- large installation can shard by it.

CREATE TABLE organizations (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE workspaces (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name                text NOT NULL,
    prefix              text NOT NULL,
    default_checklist   jsonb NOT NULL DEFAULT '[]',
    attempt_cap         integer NOT NULL DEFAULT 3 CHECK (attempt_cap BETWEEN 1 AND 20),
    last_task_number    integer NOT NULL DEFAULT 0,
    last_sprint_number  integer NOT NULL DEFAULT 0,
    version             integer NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (organization_id, prefix)
);

-- A key is never stored, only its SHA-256: 178 bits of randomness need no slow hash.
CREATE TABLE api_keys (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id  uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    workspace_id     uuid REFERENCES workspaces ON DELETE CASCADE,
    name             text NOT NULL,
    purpose          text NOT NULL CHECK (purpose IN ('read', 'worker', 'member', 'admin')),
    hash             bytea NOT NULL UNIQUE,
    hint             text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz,
    last_used_at     timestamptz,
    revoked_at       timestamptz
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id);
CREATE INDEX api_keys_by_workspace ON api_keys (workspace_id);

CREATE TABLE sprints (
    workspace_id  uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    number        integer NOT NULL,
    name          text NOT NULL,
    goal          text NOT NULL DEFAULT '',
    status        text NOT NULL DEFAULT 'PLANNED' CHECK (status IN ('PLANNED', 'ACTIVE', 'COMPLETED')),
    starts_on     date,
    ends_on       date,
    started_at    timestamptz,
    completed_at  timestamptz,
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, number)
);
CREATE UNIQUE INDEX sprints_one_active ON sprints (workspace_id) WHERE status = 'ACTIVE';

-- Declared in the order of dispatch, so that an index on it is the order of dispatch.
CREATE TYPE priority AS ENUM ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW');

CREATE TABLE tasks (
    workspace_id      uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id                uuid NOT NULL DEFAULT gen_random_uuid(),
    number            integer NOT NULL,
    sprint_id         uuid,
    parent_id         uuid,
    title             text NOT NULL,
    description       text NOT NULL DEFAULT '',
    status            text NOT NULL DEFAULT 'BACKLOG'
                      CHECK (status IN ('BACKLOG', 'IN_PROGRESS', 'IN_REVIEW', 'DONE', 'BLOCKED')),
    blocked_reason    text CHECK (blocked_reason IN ('no_change', 'attempts_exhausted', 'checks_failed', 'needs_input',
                          'policy', 'conflict', 'push_refused', 'dependency', 'manual')),
    priority          priority NOT NULL DEFAULT 'MEDIUM',
    role              text CHECK (role IN ('BACKEND', 'FRONTEND', 'QA', 'PM', 'DESIGN')),
    labels            text[] NOT NULL DEFAULT '{}',
    assignee          text,
    due_on            date,
    checklist         jsonb NOT NULL DEFAULT '[]',
    position          double precision NOT NULL,
    attempts          integer NOT NULL DEFAULT 0,
    fence             integer NOT NULL DEFAULT 0,
    claim_key         text,
    claimed_at        timestamptz,
    lease_agent_id    uuid,
    lease_expires_at  timestamptz,
    phase             text,
    cancel_requested  boolean NOT NULL DEFAULT false,
    commit_sha        text,
    branch            text,
    pull_request_url  text,
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, number),
    FOREIGN KEY (workspace_id, sprint_id) REFERENCES sprints (workspace_id, id) ON DELETE SET NULL (sprint_id),
    FOREIGN KEY (workspace_id, parent_id) REFERENCES tasks (workspace_id, id) ON DELETE SET NULL (parent_id),
    -- The last line behind the rules: whatever a bug does, these never become false.
    CHECK ((status = 'BLOCKED') = (blocked_reason IS NOT NULL)),
    CHECK (lease_expires_at IS NULL OR status = 'IN_PROGRESS'),
    CHECK ((lease_expires_at IS NULL) = (lease_agent_id IS NULL)),
    CHECK (parent_id IS NULL OR parent_id <> id)
) WITH (
    fillfactor = 85,                         -- room for heartbeats to stay on their page (HOT)
    autovacuum_vacuum_scale_factor = 0.01,   -- claims leave dead index entries behind; sweep them early
    vacuum_index_cleanup = on
);
-- The claim walks this index in the order of dispatch. Status is in the predicate and not in the key, so a claim costs
-- the same with a thousand tasks as with five million.
-- NULLS FIRST, although nothing is null, makes it the only index that has the order the claim asks for: with a full
-- sprint its statistics look like those of tasks_in_order, which would walk over everything that is finished.
CREATE INDEX tasks_claimable ON tasks (workspace_id, sprint_id, priority NULLS FIRST, position NULLS FIRST, id NULLS FIRST)
    WHERE status = 'BACKLOG' AND assignee IS NULL;
-- For the reaper. The expiry itself is never indexed: heartbeats would stop being HOT updates.
CREATE INDEX tasks_leased ON tasks (workspace_id, id) WHERE status = 'IN_PROGRESS';
CREATE INDEX tasks_in_order ON tasks (workspace_id, sprint_id, priority, position, id);
-- The backlog's own order: "sprint_id IS NULL" as a condition cannot use the order of the index above.
CREATE INDEX tasks_without_sprint ON tasks (workspace_id, priority, position, id) WHERE sprint_id IS NULL;
CREATE INDEX tasks_by_parent ON tasks (workspace_id, parent_id) WHERE parent_id IS NOT NULL;
-- A claim that is asked for twice with the same Idempotency-Key is one claim.
CREATE UNIQUE INDEX tasks_claim_key ON tasks (workspace_id, claim_key) WHERE claim_key IS NOT NULL;

CREATE TABLE task_dependencies (
    workspace_id   uuid NOT NULL,
    task_id        uuid NOT NULL,
    depends_on_id  uuid NOT NULL,
    PRIMARY KEY (workspace_id, task_id, depends_on_id),
    FOREIGN KEY (workspace_id, task_id) REFERENCES tasks (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, depends_on_id) REFERENCES tasks (workspace_id, id) ON DELETE CASCADE,
    CHECK (task_id <> depends_on_id)
);
CREATE INDEX task_dependents ON task_dependencies (workspace_id, depends_on_id);

CREATE TABLE docs (
    workspace_id  uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    title         text NOT NULL,
    kind          text NOT NULL DEFAULT 'GENERAL' CHECK (kind IN ('GENERAL', 'PRD', 'TECH_SPEC', 'ADR', 'API_DESIGN')),
    text          text NOT NULL DEFAULT '',
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE task_docs (
    workspace_id  uuid NOT NULL,
    task_id       uuid NOT NULL,
    doc_id        uuid NOT NULL,
    PRIMARY KEY (workspace_id, task_id, doc_id),
    FOREIGN KEY (workspace_id, task_id) REFERENCES tasks (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, doc_id) REFERENCES docs (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX task_docs_by_doc ON task_docs (workspace_id, doc_id);

CREATE TABLE comments (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL DEFAULT gen_random_uuid(),
    task_id       uuid NOT NULL,
    author_kind   text NOT NULL CHECK (author_kind IN ('person', 'worker')),
    author_id     uuid NOT NULL,
    author_name   text NOT NULL,
    kind          text NOT NULL DEFAULT 'comment' CHECK (kind IN ('comment', 'rejection')),
    text          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, task_id) REFERENCES tasks (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX comments_by_task ON comments (workspace_id, task_id, created_at, id);

CREATE TABLE agents (
    workspace_id       uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    key_id             uuid NOT NULL,
    name               text NOT NULL,
    host_class         text NOT NULL,
    os_family          text NOT NULL,
    provider           text NOT NULL,
    provider_version   text,
    model              text,
    locus_version      text NOT NULL,
    state              text NOT NULL DEFAULT 'idle' CHECK (state IN ('idle', 'working', 'parked', 'stopped')),
    parked_until       timestamptz,
    registered_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_heartbeat_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);
CREATE INDEX agents_by_registration ON agents (workspace_id, registered_at, id);

-- What an attempt came to. The running one is on the task's own row, so a claim writes two rows, not three.
CREATE TABLE attempts (
    workspace_id   uuid NOT NULL,
    task_id        uuid NOT NULL,
    fence          integer NOT NULL,
    agent_id       uuid,
    agent_name     text,
    claim_key      text,
    claimed_at     timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome        text NOT NULL CHECK (outcome IN ('completed', 'failed', 'released', 'expired')),
    reason         text,
    commit_sha     text,
    branch         text,
    evidence       jsonb NOT NULL DEFAULT '[]',
    numbers        jsonb,
    report_sha256  bytea,  -- of the worker's report, so that the same report sent twice is one report
    PRIMARY KEY (workspace_id, task_id, fence),
    FOREIGN KEY (workspace_id, task_id) REFERENCES tasks (workspace_id, id) ON DELETE CASCADE
);
-- A claim that arrives once more after its attempt has ended gets nothing new.
CREATE INDEX attempts_claim_key ON attempts (workspace_id, claim_key) WHERE claim_key IS NOT NULL;

-- Written in the transaction of the change, without a number and without NOTIFY; the sequencer numbers what is
-- committed. No foreign keys to tasks and sprints: history outlives what it is about.
CREATE TABLE events (
    workspace_id  uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    id            bigint GENERATED ALWAYS AS IDENTITY,
    seq           bigint,
    kind          text NOT NULL,
    task_id       uuid,
    sprint_id     uuid,
    actor_kind    text NOT NULL CHECK (actor_kind IN ('person', 'worker', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    detail        jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX events_in_order ON events (workspace_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX events_unnumbered ON events (id) WHERE seq IS NULL;
CREATE INDEX events_by_task ON events (workspace_id, task_id, id) WHERE task_id IS NOT NULL;

CREATE TABLE event_heads (
    workspace_id  uuid PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
    seq           bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The first answer to a request with an Idempotency-Key, kept for a day.
CREATE TABLE idempotency_keys (
    principal_id  uuid NOT NULL,
    route         text NOT NULL,
    key           text NOT NULL,
    body_sha256   bytea NOT NULL,
    status        smallint,
    answer        bytea,
    etag          text,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (principal_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
