-- Checks that every completion in a workspace must prove, whatever the task's own checklist names.
ALTER TABLE workspaces ADD COLUMN required_checks text[] NOT NULL DEFAULT '{}' CHECK (cardinality(required_checks) <= 50);
