-- Whether agents get no task any more while the daily budget is spent.
ALTER TABLE workspaces ADD COLUMN budget_stops boolean NOT NULL DEFAULT false;
