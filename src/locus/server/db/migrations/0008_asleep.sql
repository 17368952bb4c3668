-- An agent may say that its machine was asleep until just now.
ALTER TABLE agents DROP CONSTRAINT agents_state_check;
ALTER TABLE agents ADD CONSTRAINT agents_state_check
    CHECK (state IN ('idle', 'working', 'parked', 'asleep', 'stopped'));
