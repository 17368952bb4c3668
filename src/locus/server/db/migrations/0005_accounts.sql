-- How people come in and what they do to each other: codes, identities elsewhere, invitations, machines, mail, audit.

-- A code is bound to the browser that asked for it: `request` is the hash of a secret that only its cookie has, and the
-- code is kept as an HMAC under that secret, so 40 bits cannot be guessed from a copy of this table.
CREATE TABLE sign_in_codes (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request     bytea NOT NULL UNIQUE,
    email       text NOT NULL,
    code        bytea NOT NULL,
    user_id     uuid REFERENCES users ON DELETE CASCADE,  -- who proves a new address; null: somebody who signs in
    address     text NOT NULL,
    tries       smallint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX sign_in_codes_by_email ON sign_in_codes (email, created_at);
CREATE INDEX sign_in_codes_by_address ON sign_in_codes (address, created_at);
CREATE INDEX sign_in_codes_by_age ON sign_in_codes (created_at);

CREATE TABLE identities (
    provider    text NOT NULL CHECK (provider IN ('github', 'google')),
    subject     text NOT NULL,  -- what the provider calls them for ever, whatever their address
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE invitations (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id  uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email            text NOT NULL CHECK (email = lower(email)),
    role             text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    hash             bytea NOT NULL UNIQUE,
    invited_by       uuid REFERENCES users ON DELETE CASCADE,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz NOT NULL,
    accepted_at      timestamptz,
    revoked_at       timestamptz
);
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_email ON invitations (email) WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- A machine that waits for a person to let it in (`locus login`).
CREATE TABLE device_logins (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    device           bytea NOT NULL UNIQUE,  -- hash of what the machine asks with
    code             bytea NOT NULL UNIQUE,  -- hash of what the person compares
    machine          text NOT NULL,
    address          text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz NOT NULL,
    user_id          uuid REFERENCES users ON DELETE CASCADE,
    organization_id  uuid REFERENCES organizations ON DELETE CASCADE,
    workspace_id     uuid REFERENCES workspaces ON DELETE CASCADE,
    purpose          text CHECK (purpose IN ('read', 'worker', 'member', 'admin')),
    decided_at       timestamptz,
    denied           boolean NOT NULL DEFAULT false,
    issued_at        timestamptz
);
CREATE INDEX device_logins_by_address ON device_logins (address, created_at);

-- Mail that waits to be sent, so that a restart loses none. A row goes when it has been sent or is too old to matter.
CREATE TABLE mails (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient   text NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL,
    tries       integer NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX mails_due ON mails (due_at);

-- Who did what to people, keys and organizations, when and from where. No foreign keys: history outlives them.
CREATE TABLE audit (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id  uuid,  -- null: it concerns a person alone
    user_id          uuid,  -- the person it concerns, when there is one
    action           text NOT NULL,
    actor_kind       text NOT NULL CHECK (actor_kind IN ('person', 'key', 'system')),
    actor_id         uuid,
    actor_name       text NOT NULL,
    address          text NOT NULL,
    subject          text NOT NULL DEFAULT '',
    detail           text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX audit_by_organization ON audit (organization_id, id);
CREATE INDEX audit_by_user ON audit (user_id, id);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is history: it is never changed or removed.' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
