"""The sidebar: which pages there are, in which order. A page that lands adds its line here."""

from dataclasses import dataclass

from locus.wire.workspaces import Purpose


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A link of the sidebar. `count` names a number of the frame's standing; `keys` is the shortcut that goes there."""

    name: str  # what a page calls itself, to be marked as the current one
    title: str
    path: str  # below the workspace
    icon: str
    keys: str = ""
    count: str | None = None
    pocket: bool = False  # one of the four on a phone's bottom bar
    needs: Purpose = Purpose.READ


NAV = (
    Entry(
        name="overview", title="Overview", path="", icon="layout-dashboard", keys="g o", count="needs_you", pocket=True
    ),
    Entry(name="board", title="Board", path="/board", icon="square-kanban", keys="g b", pocket=True),
    Entry(name="backlog", title="Backlog", path="/backlog", icon="list-todo", keys="g l", pocket=True),
    Entry(name="sprints", title="Sprints", path="/sprints", icon="flag", keys="g s"),
    Entry(name="plans", title="Plans", path="/plans", icon="list-checks", keys="g p", count="plans"),
    Entry(name="docs", title="Docs", path="/docs", icon="book-open", keys="g d"),
    Entry(name="agents", title="Agents", path="/agents", icon="bot", keys="g a", count="agents"),
    Entry(name="activity", title="Activity", path="/activity", icon="activity", keys="g v"),
    Entry(name="settings", title="Settings", path="/settings", icon="settings", keys="g e"),
)
