"""Toasts: a sentence that says what has just happened, with a way back where there is one."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Undo:
    """The request that takes a change back: a form that the toast's button sends."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Toast:
    """`tone` is "said", "done" or "refused"."""

    text: str
    tone: str = "done"
    undo: Undo | None = None

    def header(self) -> str:
        """As htmx wants events in a header: JSON in ASCII."""
        said = {"text": self.text, "tone": self.tone}
        undo = {"undo": {"action": self.undo.action, "fields": self.undo.fields}} if self.undo else {}
        return json.dumps({"locus:toast": {**said, **undo}})
