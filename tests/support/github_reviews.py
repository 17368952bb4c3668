"""What the GitHub on loopback knows of reviews: comments beside lines, threads, conversations and check runs.

A comment is taken only where the difference shows its line, and nobody approves a pull request of their own.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.github import GitHubServer

Json = dict[str, Any]
Answer = tuple[int, Any, str]
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
REPOSITORY = "/repos/{owner}/{repo}"


@dataclass
class Thread:
    """A conversation beside a line. Each comment is (id, author, association, text)."""

    path: str
    line: int | None
    comments: list[tuple[int, str, str, str]]
    resolved: bool = False
    start_line: int | None = None
    side: str = "RIGHT"
    subject: str = "LINE"
    hunk: str = ""
    unsent: set[int] = field(default_factory=set)  # comments that their author has begun to write


@dataclass
class Reviewing:
    """`account` is whose the token is, of an `app` or of a person. What people did is put into the lists by a test."""

    account: str = "ada"
    app: bool = False
    readers: set[str] = field(default_factory=set)  # who belongs to the repository, and may only read
    authors: dict[int, str] = field(default_factory=dict)  # of the commits of a pull request
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    refused: list[Json] = field(default_factory=list)  # errors with which the next questions of GraphQL are answered
    reviews: dict[int, list[Json]] = field(default_factory=dict)
    threads: dict[int, list[Thread]] = field(default_factory=dict)
    conversation: dict[int, list[Json]] = field(default_factory=dict)
    check_runs: dict[str, list[Json]] = field(default_factory=dict)
    annotations: dict[int, list[Json]] = field(default_factory=dict)
    last: int = 1000

    def number(self) -> int:
        self.last += 1
        return self.last

    def thread(self, pull: int, path: str, line: int, text: str, *, by: str = "bea", as_: str = "MEMBER") -> Thread:
        """Somebody begins a conversation beside a line."""
        thread = Thread(path, line, [(self.number(), by, as_, text)])
        self.threads.setdefault(pull, []).append(thread)
        return thread

    def remark(self, github: GitHubServer, pull: int, text: str, *, by: str = "bea", as_: str = "MEMBER") -> Json:
        """Somebody says something to the pull request as a whole."""
        made = self._said(github, "issue-comment", text, by, as_)
        self.conversation.setdefault(pull, []).append(made)
        return made

    def failing(self, github: GitHubServer, sha: str, name: str, text: str) -> Json:
        """A check of the forge has failed on a commit."""
        from tests.support.github import SPECIFICATION, example

        made: Json = example(SPECIFICATION["components"]["schemas"]["check-run"])
        made |= {"id": self.number(), "head_sha": sha, "name": name, "status": "completed", "conclusion": "failure"}
        made["output"] = {
            **made["output"],
            "title": f"{name} failed",
            "summary": text,
            "text": None,
            "annotations_count": 1,
        }
        self.check_runs.setdefault(sha, []).append(made)
        annotation: Json = example(SPECIFICATION["components"]["schemas"]["check-annotation"])
        annotation |= {"path": "one.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
        self.annotations[made["id"]] = [annotation | {"message": f"{name}: {text}"}]
        return made

    def status(self, sha: str, context: str, description: str, *, state: str = "failure") -> Json:
        """Something that is no app of GitHub's says how a commit is."""
        made = {"id": self.number(), "state": state, "context": context, "description": description}
        made |= {"url": "https://github.example/status", "node_id": "x", "avatar_url": None}
        made |= {"created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z"}
        made["target_url"] = f"https://ci.example/{context}"
        self.statuses.setdefault(sha, []).append(made)
        return made

    def _may(self, login: str) -> str:
        """What somebody may do, by what their comments say of them."""
        if login in self.readers:
            return "read"
        said = [one for threads in self.threads.values() for thread in threads for one in thread.comments]
        known = {by for _, by, as_, _ in said if as_ in ("OWNER", "MEMBER", "COLLABORATOR")}
        for one in (one for listed in self.conversation.values() for one in listed):
            if one["author_association"] in ("OWNER", "MEMBER", "COLLABORATOR"):
                known.add(one["user"]["login"])
        return "write" if login in known else "read"

    def _said(self, github: GitHubServer, schema: str, text: str, by: str, as_: str) -> Json:
        from tests.support.github import SPECIFICATION, example

        made: Json = example(SPECIFICATION["components"]["schemas"][schema])
        number = self.number()
        user: Json = example(SPECIFICATION["components"]["schemas"]["simple-user"])
        made |= {"id": number, "body": text, "user": user | {"login": by}, "author_association": as_}
        made["html_url"] = f"https://github.example/said/{number}"
        return made

    def answer(
        self, github: GitHubServer, method: str, rest: list[str], query: dict[str, list[str]], body: Json
    ) -> Answer | None:
        """The answer to a question about a pull request or a commit; None when it is about something else."""
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])

        def paged(listed: list[Json]) -> list[Json]:
            return listed[(page - 1) * size : page * size]

        match (method, rest):
            case ("GET", ["collaborators", login, "permission"]):
                from tests.support.github import SPECIFICATION, example

                path = f"{REPOSITORY}/collaborators/{{username}}/permission"
                user: Json = example(SPECIFICATION["components"]["schemas"]["simple-user"])
                permission = self._may(login)
                return 200, {"permission": permission, "role_name": permission, "user": user | {"login": login}}, path
            case ("GET", ["commits", sha, "status"]):
                statuses = self.statuses.get(sha, [])
                answered: Json = {
                    "state": "failure" if statuses else "pending",
                    "total_count": len(statuses),
                    "sha": sha,
                }
                answered |= {"url": "https://github.example/s", "commit_url": "https://github.example/c"}
                return 200, answered | {"statuses": paged(statuses)}, f"{REPOSITORY}/commits/{{ref}}/status"
            case ("GET", ["pulls", number]):
                pull = _pull(github, number)
                return _found(pull, f"{REPOSITORY}/pulls/{{pull_number}}")
            case ("GET", ["pulls", number, "commits"]):
                pull = _pull(github, number)
                path = f"{REPOSITORY}/pulls/{{pull_number}}/commits"
                return (
                    (404, {"message": "Not Found"}, path) if pull is None else (200, paged(self._commits(pull)), path)
                )
            case ("GET", ["pulls", number, "reviews"]):
                return 200, paged(self.reviews.get(int(number), [])), f"{REPOSITORY}/pulls/{{pull_number}}/reviews"
            case ("POST", ["pulls", number, "reviews"]):
                return (
                    *self._review(github, _pull(github, number), body),
                    f"{REPOSITORY}/pulls/{{pull_number}}/reviews",
                )
            case ("POST", ["pulls", number, "comments", comment, "replies"]):
                path = f"{REPOSITORY}/pulls/{{pull_number}}/comments/{{comment_id}}/replies"
                for thread in self.threads.get(int(number), []):
                    if thread.comments[0][0] == int(comment):
                        made = self._said(github, "pull-request-review-comment", body["body"], self.account, "OWNER")
                        thread.comments.append((made["id"], self.account, "OWNER", body["body"]))
                        return 201, made, path
                return 404, {"message": "Not Found"}, path
            case ("GET", ["issues", number, "comments"]):
                return (
                    200,
                    paged(self.conversation.get(int(number), [])),
                    f"{REPOSITORY}/issues/{{issue_number}}/comments",
                )
            case ("POST", ["issues", number, "comments"]):
                made = self._said(github, "issue-comment", body["body"], self.account, "OWNER")
                self.conversation.setdefault(int(number), []).append(made)
                return 201, made, f"{REPOSITORY}/issues/{{issue_number}}/comments"
            case ("GET", ["commits", sha, "check-runs"]):
                runs = self.check_runs.get(sha, [])
                answered = {"total_count": len(runs), "check_runs": paged(runs)}
                return 200, answered, f"{REPOSITORY}/commits/{{ref}}/check-runs"
            case ("GET", ["check-runs", number, "annotations"]):
                path = f"{REPOSITORY}/check-runs/{{check_run_id}}/annotations"
                return 200, self.annotations.get(int(number), []), path
        return None

    def _commits(self, pull: Json) -> list[Json]:
        """The newest commit of a pull request, with whose it is when a test says so."""
        from tests.support.github import SPECIFICATION, example

        made: Json = example(SPECIFICATION["components"]["schemas"]["commit"])
        user: Json = example(SPECIFICATION["components"]["schemas"]["simple-user"])
        author = self.authors.get(pull["number"])
        return [made | {"sha": pull["head"]["sha"], "author": user | {"login": author} if author else None}]

    def _review(self, github: GitHubServer, pull: Json | None, body: Json) -> tuple[int, Json]:
        if pull is None:
            return 404, {"message": "Not Found"}
        event = body.get("event")
        if event in ("APPROVE", "REQUEST_CHANGES") and pull["user"]["login"] == self.account:
            word = "approve" if event == "APPROVE" else "request changes on"
            return 422, {"message": "Unprocessable Entity", "errors": [f"Can not {word} your own pull request"]}
        if not _has(github, pull, body["commit_id"]):
            return 422, {"message": "Unprocessable Entity", "errors": ["The commit_id is not part of the pull request"]}
        shown = _shown(github, pull)
        for comment in body.get("comments", []):
            where = (comment["path"], comment.get("side", "RIGHT"))
            lines = shown.get(where, set())
            if comment.get("line") not in lines or comment.get("start_line", comment["line"]) not in lines:
                return 422, {"message": "Unprocessable Entity", "errors": ["Pull request review thread line must be"]}
        made = self._said(github, "pull-request-review", body.get("body", ""), self.account, "OWNER")
        states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
        made |= {"state": states[event], "commit_id": body["commit_id"]}
        self.reviews.setdefault(pull["number"], []).append(made)
        for comment in body.get("comments", []):
            self.thread(pull["number"], comment["path"], comment["line"], comment["body"], by=self.account, as_="OWNER")
        return 200, made

    def graphql(self, body: Json) -> Json:
        """Who we are, or the threads of a pull request, as the one query that is asked for them wants it."""
        if self.refused:
            return {"data": None, "errors": [self.refused.pop(0)]}
        if "viewer" in body["query"]:
            return {"data": {"viewer": {"login": self.account}}}
        number = body["variables"]["number"]
        start = int(body["variables"]["after"] or 0)
        nodes = [
            {
                "isResolved": thread.resolved,
                "path": thread.path,
                "line": thread.line,
                "startLine": thread.start_line,
                "diffSide": thread.side,
                "subjectType": thread.subject,
                "first": {"nodes": [{"databaseId": thread.comments[0][0], "diffHunk": thread.hunk}]},
                "comments": {
                    "nodes": [
                        {
                            "databaseId": id_,
                            "state": "PENDING" if id_ in thread.unsent else "SUBMITTED",
                            "author": {
                                "__typename": "Bot" if by.endswith("[bot]") else "User",
                                "login": by.removesuffix("[bot]"),
                            },
                            "authorAssociation": as_,
                            "body": text,
                        }
                        for id_, by, as_, text in thread.comments[-100:]
                    ]
                },
            }
            for thread in self.threads.get(number, [])[start : start + 50]
        ]
        more = start + 50 < len(self.threads.get(number, []))
        info = {"hasNextPage": more, "endCursor": str(start + 50) if more else None}
        threads = {"nodes": nodes, "pageInfo": info}
        return {"data": {"repository": {"pullRequest": {"reviewThreads": threads}}}}


def _pull(github: GitHubServer, number: str) -> Json | None:
    for pull in github.pulls:
        if pull["number"] == int(number):
            branches = github.branches(*pull["base"]["repo"]["full_name"].split("/"))
            pull["head"]["sha"] = branches.get(pull["head"]["ref"], pull["head"]["sha"])
            return pull
    return None


def _found(pull: Json | None, path: str) -> Answer:
    return (404, {"message": "Not Found"}, path) if pull is None else (200, pull, path)


def _has(github: GitHubServer, pull: Json, sha: str) -> bool:
    owner, name = pull["base"]["repo"]["full_name"].split("/")
    asked = ["git", f"--git-dir={github.repositories / owner / name}.git", "merge-base", "--is-ancestor", sha]
    return subprocess.run([*asked, pull["head"]["ref"]], capture_output=True, check=False).returncode == 0


def _shown(github: GitHubServer, pull: Json) -> dict[tuple[str, str], set[int]]:
    """The lines that GitHub shows of a pull request, by path and side."""
    owner, name = pull["base"]["repo"]["full_name"].split("/")
    bare = github.repositories / owner / f"{name}.git"
    said = subprocess.run(
        ["git", f"--git-dir={bare}", "diff", f"{pull['base']['ref']}...{pull['head']['ref']}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    shown: dict[tuple[str, str], set[int]] = {}
    path = ""
    for line in said.splitlines():
        if line.startswith(("+++ b/", "--- a/")):
            path = line[6:]
        elif hunk := HUNK.match(line):
            for side, first, many in (("LEFT", hunk[1], hunk[2]), ("RIGHT", hunk[3], hunk[4])):
                start, count = int(first), int(many or "1")
                shown.setdefault((path, side), set()).update(range(start, start + count))
    return shown
