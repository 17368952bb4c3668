-- Whether a workspace takes its agents' words about finished work. Off unless somebody has asked for them.
ALTER TABLE workspaces ADD COLUMN summaries boolean NOT NULL DEFAULT false;
ALTER TABLE attempts ADD COLUMN summary text CHECK (char_length(summary) <= 500);
-- To find them all when they are switched off, among millions of attempts that have none.
CREATE INDEX attempts_with_summary ON attempts (workspace_id) WHERE summary IS NOT NULL;
