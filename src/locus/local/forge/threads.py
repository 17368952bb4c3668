"""What was said about a pull request on GitHub, who may write to the repository, and answering."""

# No `from __future__ import annotations`: msgspec reads them.

from urllib.parse import quote

from msgspec import Struct, field

from locus.local.forge.base import ForgeError, Reason
from locus.local.forge.github import BODY_LIMIT, GitHub

PAGE = 100
PAGES = 10
# Who belongs to the repository, as each comment says. Whether they may write is asked apart.
BELONGS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
WRITES = frozenset({"admin", "maintain", "write"})
# Of a long thread the newest comments count, and an answer goes to the first.
THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 50, after: $after) {
      nodes { isResolved path line startLine diffSide subjectType
        first: comments(first: 1) { nodes { databaseId diffHunk } }
        comments(last: 100) { nodes {
          databaseId state author { __typename login } authorAssociation body
        } } }
      pageInfo { hasNextPage endCursor }
    } } } }"""


class Said(Struct, frozen=True):
    """One comment. `id` is the forge's."""

    id: int
    author: str
    association: str
    text: str

    @property
    def belongs(self) -> bool:
        """Whether its author is one of those who may be allowed to write."""
        return self.association in BELONGS


class Thread(Struct, frozen=True):
    """Comments beside lines, the oldest first. `line` is None when the lines are not there any more."""

    path: str
    line: int | None
    comments: tuple[Said, ...]
    first: int
    """The comment that answers go to, whoever wrote it."""
    start_line: int | None = None
    removed: bool = False
    """Whether it is about lines that the change removes; their numbers are those of the old file."""
    whole: bool = False
    """Whether it is about the file and no line of it."""
    hunk: str = ""
    """The lines as they were when the first comment was written."""


class _Author(Struct):
    login: str = ""
    kind: str = field(default="User", name="__typename")  # of GraphQL alone

    @property
    def name(self) -> str:
        # GraphQL leaves out what REST has at the end of the name of every app.
        return f"{self.login}[bot]" if self.kind == "Bot" else self.login


class _Comment(Struct, rename="camel"):
    database_id: int
    body: str
    author_association: str
    state: str = "SUBMITTED"
    author: _Author | None = None


class _Comments(Struct):
    nodes: list[_Comment]


class _Beginning(Struct, rename="camel"):
    database_id: int
    diff_hunk: str = ""


class _Beginnings(Struct):
    nodes: list[_Beginning]


class _Thread(Struct, rename="camel"):
    is_resolved: bool
    path: str
    first: _Beginnings
    comments: _Comments
    line: int | None = None
    start_line: int | None = None
    diff_side: str = "RIGHT"
    subject_type: str = "LINE"


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


class _Permission(Struct):
    permission: str = "none"


class _Body(Struct):
    body: str


class Talk(Struct, frozen=True):
    """The talk about one pull request. Every method raises ForgeError."""

    github: GitHub
    number: int

    async def threads(self) -> list[Thread]:
        """The threads that nobody has resolved, without what somebody has begun to write and not sent."""
        found: list[Thread] = []
        after: str | None = None
        for _ in range(2 * PAGES):
            asked = _Variables(self.github.owner, self.github.repository, self.number, after)
            answered = await self.github.graphql(_Query(THREADS, asked), _Data)
            repository = answered.repository
            if repository is None or repository.pull_request is None:
                raise ForgeError(
                    f"GitHub does not tell the threads of pull request {self.number}.",
                    reason=Reason.FORBIDDEN,
                    remedy="The token needs to read pull requests, by GraphQL too.",
                )
            page = repository.pull_request.review_threads
            read = (_thread(one) for one in page.nodes if not one.is_resolved and one.first.nodes)
            found += [thread for thread in read if thread.comments]
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

    async def may_write(self, name: str) -> bool:
        """Whether somebody may write to the repository; whose account is gone may not."""
        if not name:
            return False
        path = f"{self.github.path}/collaborators/{quote(name, safe='')}/permission"
        try:
            return (await self.github.ask("GET", path, _Permission)).permission in WRITES
        except ForgeError as e:
            if e.reason is Reason.NOT_FOUND:
                return False
            raise

    async def answer(self, first: int, text: str) -> None:
        """Answer in the thread that begins with a comment."""
        path = f"{self.github.path}/pulls/{self.number:d}/comments/{first:d}/replies"
        await self.github.ask("POST", path, _Rest, _Body(text[:BODY_LIMIT]))

    async def say(self, text: str) -> None:
        """Say something to the pull request as a whole."""
        path = f"{self.github.path}/issues/{self.number:d}/comments"
        await self.github.ask("POST", path, _Rest, _Body(text[:BODY_LIMIT]))

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
        Said(one.database_id, one.author.name if one.author else "", one.author_association, one.body)
        for one in thread.comments.nodes
        if one.state != "PENDING"
    )
    whole = thread.subject_type == "FILE"
    return Thread(
        thread.path,
        None if whole else thread.line,
        comments,
        thread.first.nodes[0].database_id,
        start_line=thread.start_line if thread.line is not None else None,
        removed=thread.diff_side == "LEFT",
        whole=whole,
        hunk="" if whole else thread.first.nodes[0].diff_hunk,
    )


def _said(one: _Rest) -> Said:
    return Said(one.id, one.user.name if one.user else "", one.author_association, one.body or "")
