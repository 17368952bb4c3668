"""The page of one task. Over a board it is shown as a panel; it is the same page with the same address."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.dashboard import drawing, forms, words
from locus.server.dashboard.markdown import rendered
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.task_fields import fingerprints
from locus.server.dashboard.sentences import sentences
from locus.server.docs import store as docs
from locus.server.events import store as events, subjects
from locus.server.events.log import Log
from locus.server.sprints import store as sprints
from locus.server.tasks import attempts, cards, comments, graph, rules, store
from locus.wire.docs import DocRef
from locus.wire.events import ActorKind
from locus.wire.tasks import Priority, Role, Task
from locus.wire.work import Attempt, Evidence

TASK = "/w/{workspace:str}/tasks/{task:str}"
COMMENTS = 200
ATTEMPTS = 30
EVENTS = 60  # the newest ones
CHOICES = 50  # sprints that may be chosen


@get(TASK)
async def task(page: NamedDependency[Page], log: NamedDependency[Log], task: FromPath[str]) -> Response[bytes]:
    """Everything that is known of a task."""
    async with log.pool.acquire() as db:
        one = await store.get(db, page.id, await store.find(db, page.id, task))
        tried = await attempts.listed(db, page.id, one.id, below=None, limit=ATTEMPTS)
        near = await graph.around(db, page.id, one.id)
        said = await comments.listed(db, page.id, one.id, after=None, limit=COMMENTS)
        offered = await sprints.listed(db, page.id, below=None, limit=CHOICES)
        shelf = await docs.page(db, page.id, limit=200)
        happened = await events.newest(db, page.id, one.id, limit=EVENTS)
        names = await subjects.of_events(db, page.id, happened)
        people = await cards.assignees(db, page.id)
        parent = await store.many(db, page.id, [one.parent_id] if one.parent_id else [])
    return page.render(
        "task/page.html",
        task=one,
        depends_on=", ".join(other.key for other in near if other.id in one.depends_on),
        parent=parent[0] if parent else None,
        comments=said,
        attempts=tried,
        strips={attempt.fence: drawing.strip(attempt) for attempt in tried},
        evidence=latest(tried),
        graph=drawing.graph(near),
        docs=linked([doc for doc, _ in shelf], one),
        shelf=[doc for doc, _ in shelf if doc.id not in one.doc_ids],
        lines=sentences(happened, names),
        sprints=offered,
        people=people,
        choices={
            "priority": [(one.value, words.PRIORITY[one]) for one in Priority],
            "role": [("", "None"), *((one.value, words.ROLE[one]) for one in Role)],
        },
        may_become=sorted(rules.NEXT[ActorKind.PERSON][one.status]),
        was=fingerprints(one),
        usd_micros=cost(tried),
        tokens=sum(numbers.input_tokens + numbers.output_tokens for a in tried if (numbers := a.numbers)),
    )


@post("/w/{workspace:str}/preview")
async def preview(page: NamedDependency[Page], request: AnyRequest) -> Response[bytes]:
    """What a Markdown text will look like."""
    page.require()
    form = await forms.read(request)
    return page.render("components/preview.html", text=rendered(form.text("value") or form.text("text")))


def latest(tried: list[Attempt]) -> dict[str, Evidence]:
    """By check, what was measured last."""
    for attempt in tried:
        if attempt.evidence:
            return {one.check: one for one in attempt.evidence}
    return {}


def linked(shelf: list[DocRef], task: Task) -> list[DocRef]:
    """The docs that belong to the task."""
    return [doc for doc in shelf if doc.id in task.doc_ids]


def cost(tried: list[Attempt]) -> int | None:
    """What the attempts cost together; None when no price is known."""
    known = [a.numbers.usd_micros for a in tried if a.numbers and a.numbers.usd_micros is not None]
    return sum(known) if known else None


ROUTES = [task, preview]
