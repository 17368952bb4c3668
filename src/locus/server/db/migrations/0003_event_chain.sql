-- Numbered events are a chain: each carries the hash of itself and of the one before it, and none of them changes.

ALTER TABLE events ADD COLUMN hash bytea;       -- null in those that were numbered before there was a chain
ALTER TABLE event_heads ADD COLUMN hash bytea;  -- of the last event
-- A process of an older version must not number events without a hash; it gives way to one that can.
ALTER TABLE events ADD CONSTRAINT events_numbered_have_a_hash CHECK (seq IS NULL OR hash IS NOT NULL) NOT VALID;

CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- History ends with its workspace, whose row is gone already when its events follow it.
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM workspaces WHERE id = OLD.workspace_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'A numbered event is history: it is never changed or removed.' USING ERRCODE = 'restrict_violation';
END
$$;
-- The sequencer's one write finds no number yet, so it does not pay for this.
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW WHEN (OLD.seq IS NOT NULL) EXECUTE FUNCTION events_refuse_change();
CREATE TRIGGER events_not_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change();
