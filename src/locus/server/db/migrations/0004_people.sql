-- People: who they are, what they may do in an organization, and the browsers they are signed in with.

CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       text UNIQUE CHECK (email = lower(email)),  -- null: can sign in only by a link of the operator
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE memberships (
    organization_id  uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id          uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role             text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

-- Of a session only the SHA-256 of its secret is here: 256 random bits need no slow hash.
CREATE TABLE sessions (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    organization_id  uuid REFERENCES organizations ON DELETE SET NULL,  -- the one that is being looked at
    hash             bytea NOT NULL UNIQUE,
    method           text NOT NULL CHECK (method IN ('link', 'code', 'github', 'google')),
    browser          text NOT NULL DEFAULT '',
    address          text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz NOT NULL,
    revoked_at       timestamptz
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Links that an operator, who owns the database anyway, makes to sign in without mail.
CREATE TABLE sign_in_links (
    hash        bytea PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

-- A key that somebody got for a machine of their own may never do more than they may, and ends with their membership.
ALTER TABLE api_keys ADD COLUMN user_id uuid REFERENCES users ON DELETE CASCADE;
CREATE INDEX api_keys_by_user ON api_keys (user_id) WHERE user_id IS NOT NULL;
