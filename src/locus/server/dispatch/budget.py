"""Whether a workspace has spent what it means to spend in 24 hours: pieces of SQL, for $1 the workspace."""

_SPENT = """
    coalesce((SELECT sum((x.numbers ->> 'usd_micros')::bigint) FROM attempts x
               WHERE x.workspace_id = w.id AND x.ended_at > clock_timestamp() - interval '24 hours'), 0)
"""
# CASE, because the sum is looked up only where somebody has set a budget.
IS_SPENT = f"""
    coalesce((SELECT CASE WHEN w.daily_budget_usd_micros IS NOT NULL
                          THEN {_SPENT} >= w.daily_budget_usd_micros END FROM workspaces w WHERE w.id = $1), false)
"""
STOPS = f"""
    coalesce((SELECT CASE WHEN w.budget_stops AND w.daily_budget_usd_micros IS NOT NULL
                          THEN {_SPENT} >= w.daily_budget_usd_micros END FROM workspaces w WHERE w.id = $1), false)
"""
