"""What was said about a pull request on GitHub, which of its checks have failed, and answering."""

# No `from __future__ import annotations`: msgspec reads them.

from dataclasses import dataclass

from msgspec import Struct

from locus.local.forge.base import ForgeError, Reason
from locus.local.forge.github import BODY_LIMIT, GitHub

PAGE = 100
PAGES = 10
# Who may write to the repository. What anybody else says is shown to people, and to no agent.
TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
FAILED = frozenset({"failure", "timed_out"})
THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 100, after: $after) {
      nodes { isResolved path line comments(first: 100) { nodes {
        databaseId author { login } authorAssociation body
      } } }
      pageInfo { hasNextPage endCursor }
    } } } }"""


@dataclass(frozen=True)
class Said:
    """One comment. `id` is the forge's."""

    id: int
    author: str
    association: str
    text: str

    def is_trusted(self, account: str | None) -> bool:
        """Whether it counts: of somebody who may write, or of the account that we speak with ourselves."""
        return self.association in TRUSTED or (account is not None and self.author == account)


@dataclass(frozen=True)
class Thread:
    """Comments beside a line, the oldest first. `line` is None when the line is not there any more."""

    path: str
    line: int | None
    comments: tuple[Said, ...]


@dataclass(frozen=True)
class Failing:
    """A check of the forge that has failed on the head. The text is the check's."""

    id: int
    name: str
    text: str


class _Author(Struct):
    login: str = ""


class _Comment(Struct, rename="camel"):
    database_id: int
    body: str
    author_association: str
    author: _Author | None = None


class _Comments(Struct):
    nodes: list[_Comment]


class _Thread(Struct, rename="camel"):
    is_resolved: bool
    path: str
    comments: _Comments
    line: int | None = None


class _PageInfo(Struct, rename="camel"):
    has_next_page: bool = False
    end_cursor: str | None = None


class _Threads(Struct, rename="camel"):
    nodes: list[_Thread]
    page_info: _PageInfo


class _PullRequest(Struct, rename="camel"):
    review_threads: _Threads


class _Repository(Struct, rename="camel"):
    pull_request: _PullRequest | None = None


class _Data(Struct):
    repository: _Repository | None = None


class _Answered(Struct):
    data: _Data | None = None


class _Variables(Struct):
    owner: str
    name: str
    number: int
    after: str | None


class _Query(Struct):
    query: str
    variables: _Variables


class _Rest(Struct):
    id: int
    body: str | None = None
    user: _Author | None = None
    author_association: str = "NONE"
    state: str = ""


class _Output(Struct):
    title: str | None = None
    summary: str | None = None
    text: str | None = None


class _Run(Struct):
    id: int
    name: str
    output: _Output
    conclusion: str | None = None


class _Runs(Struct):
    check_runs: list[_Run]


class _Annotation(Struct):
    path: str
    start_line: int
    message: str | None = None
    annotation_level: str | None = None


class _Body(Struct):
    body: str


@dataclass(frozen=True)
class Talk:
    """The talk about one pull request. Every method raises ForgeError."""

    github: GitHub
    number: int

    async def threads(self) -> list[Thread]:
        """The threads that nobody has resolved."""
        found: list[Thread] = []
        after: str | None = None
        for _ in range(PAGES):
            asked = _Variables(self.github.owner, self.github.repository, self.number, after)
            answered = await self.github.graphql(_Query(THREADS, asked), _Answered)
            repository = answered.data.repository if answered.data else None
            if repository is None or repository.pull_request is None:
                raise ForgeError(
                    f"GitHub does not tell the threads of pull request {self.number}.",
                    reason=Reason.FORBIDDEN,
                    remedy="The token needs to read pull requests, by GraphQL too.",
                )
            page = repository.pull_request.review_threads
            found += [_thread(one) for one in page.nodes if not one.is_resolved and one.comments.nodes]
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                break
        return found

    async def remarks(self) -> list[Said]:
        """What was said of the pull request as a whole: comments, and the texts of reviews."""
        comments = await self._listed(f"{self.github.path}/issues/{self.number:d}/comments")
        reviews = await self._listed(f"{self.github.path}/pulls/{self.number:d}/reviews")
        wanted = [one for one in reviews if one.state in ("CHANGES_REQUESTED", "COMMENTED")]
        return [_said(one) for one in (*comments, *wanted) if (one.body or "").strip()]

    async def failing(self, head: str) -> list[Failing]:
        """The checks that have failed on a commit."""
        query = {"filter": "latest", "per_page": str(PAGE)}
        runs = await self.github.ask("GET", f"{self.github.path}/commits/{head}/check-runs", _Runs, query=query)
        return [await self._failing(run) for run in runs.check_runs if run.conclusion in FAILED]

    async def answer(self, thread: Thread, text: str) -> None:
        """Answer in a thread."""
        path = f"{self.github.path}/pulls/{self.number:d}/comments/{thread.comments[0].id:d}/replies"
        await self.github.ask("POST", path, _Rest, _Body(text[:BODY_LIMIT]))

    async def say(self, text: str) -> None:
        """Say something to the pull request as a whole."""
        path = f"{self.github.path}/issues/{self.number:d}/comments"
        await self.github.ask("POST", path, _Rest, _Body(text[:BODY_LIMIT]))

    async def _failing(self, run: _Run) -> Failing:
        path = f"{self.github.path}/check-runs/{run.id:d}/annotations"
        notes = await self.github.ask("GET", path, list[_Annotation], query={"per_page": str(PAGE)})
        parts = [part for part in (run.output.title, run.output.summary, run.output.text) if part]
        parts += [f"{note.path}:{note.start_line}: {note.message or ''}" for note in notes]
        return Failing(run.id, run.name, "\n".join(parts))

    async def _listed(self, path: str) -> list[_Rest]:
        found: list[_Rest] = []
        for page in range(1, PAGES + 1):
            query = {"per_page": str(PAGE), "page": str(page)}
            part = await self.github.ask("GET", path, list[_Rest], query=query)
            found += part
            if len(part) < PAGE:
                break
        return found


def _thread(thread: _Thread) -> Thread:
    comments = tuple(
        Said(one.database_id, one.author.login if one.author else "", one.author_association, one.body)
        for one in thread.comments.nodes
    )
    return Thread(thread.path, thread.line, comments)


def _said(one: _Rest) -> Said:
    return Said(one.id, one.user.login if one.user else "", one.author_association, one.body or "")
