"""How claude asks before it acts: its requests among the lines that it prints, and our answers on its stdin.

It asks for what its own rules do not allow. Edits in its tree and commands that only look are allowed without asking.
"""

# No `from __future__ import annotations`: msgspec reads them.

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from locus.local.providers.asking import Asking, Verdict, Wanted

UNASKED = "Read,Glob,Grep,Agent"
LONGEST = 20_000  # characters of what it wants to do
MOST_RULES = 10
REFUSED = "A person did not allow this. Do it in another way, or go on without it and say what is missing."


class Rule(msgspec.Struct, rename="camel"):
    tool_name: str
    rule_content: str | None = None

    def __str__(self) -> str:
        return self.tool_name if self.rule_content is None else f"{self.tool_name}({self.rule_content})"


class Suggestion(msgspec.Struct):
    """A change of its rules that would keep it from asking the same again."""

    type: str = ""
    behavior: str = ""
    rules: list[Rule] = []
    directories: list[str] = []


class Question(msgspec.Struct):
    subtype: str = ""
    tool_name: str = ""
    input: dict[str, Any] = {}
    permission_suggestions: list[Suggestion] | None = None


class Request(msgspec.Struct):
    request_id: str
    request: Question


def options(asking: Asking) -> list[str]:
    """What makes it ask us. It lists no commands that are allowed: those of the user's own settings are."""
    allowed = {"permissions": {"allow": list(asking.rules), "additionalDirectories": list(asking.folders)}}
    return [
        *("--input-format", "stream-json", "--permission-prompt-tool", "stdio"),
        *("--permission-mode", "acceptEdits", "--allowedTools", UNASKED),
        *("--settings", json.dumps(allowed)),
    ]


def opening(prompt: str) -> bytes:
    """The prompt as a message on its stdin, which stays open for our answers."""
    return _line({"type": "user", "message": {"role": "user", "content": prompt}})


def wanted(line: bytes) -> list[Wanted]:
    """What a request asks for; nothing for requests of another kind."""
    request = msgspec.json.decode(line, type=Request)
    question = request.request
    if question.subtype != "can_use_tool":
        return []
    rules, folders = _scope(question.permission_suggestions or ())
    given = question.input
    replies = {
        Verdict.ONCE: _reply(request.request_id, {"behavior": "allow", "updatedInput": given}),
        Verdict.NO: _reply(request.request_id, {"behavior": "deny", "message": REFUSED}),
    }
    if rules or folders:
        # For its session alone: what it suggests would be written into the settings of the tree.
        changes: list[dict[str, Any]] = []
        if rules:
            added = [msgspec.to_builtins(rule) for rule in rules]
            changes.append({"type": "addRules", "rules": added, "behavior": "allow", "destination": "session"})
        if folders:
            changes.append({"type": "addDirectories", "directories": list(folders), "destination": "session"})
        allow = {"behavior": "allow", "updatedInput": given, "updatedPermissions": changes}
        replies[Verdict.RUN] = _reply(request.request_id, allow)
    scope = tuple(str(rule) for rule in rules)
    return [Wanted(question.tool_name[:100], _what(given)[:LONGEST], scope, folders, replies)]


def _scope(suggestions: Iterable[Suggestion]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules and the folders of its suggestions; nothing when it suggests anything else, or too much to read."""
    rules: list[Rule] = []
    folders: list[str] = []
    for one in suggestions:
        if one.type == "addRules" and one.behavior == "allow" and all(rule.rule_content for rule in one.rules):
            rules += one.rules
        elif one.type == "addDirectories":
            folders += one.directories
    if len(rules) + len(folders) > MOST_RULES:
        return (), ()
    return tuple(rules), tuple(folders)


def _what(given: dict[str, Any]) -> str:
    for name in ("command", "file_path", "notebook_path"):
        if isinstance(value := given.get(name), str):
            return value
    return json.dumps(given)


def _reply(request: str, answer: dict[str, Any]) -> bytes:
    return _line(
        {"type": "control_response", "response": {"subtype": "success", "request_id": request, "response": answer}}
    )


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode(errors="replace") + b"\n"
