-- Whether the lease is of a held change that a person lets through: such a task never goes back to agents by itself.
ALTER TABLE tasks ADD COLUMN approving boolean NOT NULL DEFAULT false;
