"""The control plane: tasks, sprints, dispatch, keys, events, one PostgreSQL. It knows the wire and no more of ours."""
