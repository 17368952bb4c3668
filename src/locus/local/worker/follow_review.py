"""The review that a project requires, of a follow-up: it answers a review, and is reviewed like any other change."""

import asyncio
import time
from collections.abc import Callable

from msgspec.structs import replace

from locus.local.context import documents
from locus.local.evidence.checks import CheckResult
from locus.local.git import hunks
from locus.local.git.changes import Changes
from locus.local.providers.base import Event
from locus.local.review.ask import Reviewer
from locus.local.review.kept import Kept, now, without_secrets
from locus.local.review.material import material
from locus.local.review.prompt import Occasion
from locus.local.sessions.answer import Repair
from locus.local.sessions.desk import Desk
from locus.local.sessions.shelf import Shelf
from locus.local.worker import second_opinion, told
from locus.local.worker.site import Site
from locus.local.worker.workplace import Critic, Workplace


async def reviewed(
    work: Workplace,
    site: Site,
    changes: Changes,
    *,
    base: str,
    key: str,
    title: str,
    asked: str,
    desk: Desk,
    shelf: Shelf,
    stop: asyncio.Event,
    hear: Callable[[Event], None],
) -> CheckResult:
    """Have the change of `base` to `changes` reviewed in a conversation that its author has no part in.

    `asked` is what the author was asked for, `desk` where the author works. Raises NoReview, AgentEnded, LocalError.
    """

    def tell(what: Event | Repair) -> None:
        if isinstance(what, Repair):
            again = f"asking again ({what.again} of {what.asks})"
            work.tell(told.Note(text=f"{key}: the review has {len(what.faults)} faults; {again}."))
        else:
            hear(what)

    critic = work.critic or Critic(work.provider, work.options.model)
    work.tell(told.CheckStarted(key=key, check=second_opinion.CHECK))
    began = time.monotonic()
    await site.reset_to(changes.tree, base=base)
    shown = material(await hunks.between(site.git, base, changes.tree), tokens=work.project.review_tokens)
    occasion = Occasion(
        what=f"a follow-up of {key}",
        material=shown,
        title=title,
        description=asked,
        # Of the user's checkout, not of the tree: what is reviewed does not say how to review it.
        instructions=documents.instructions(work.checkout.root),
    )
    async with second_opinion.walls(work, site, critic) as sandbox:
        # An effort is a word of the author's provider; a reviewer may be of another.
        place = replace(
            desk, provider=critic.provider, model=critic.model, effort=None, sandbox=sandbox, read_only=True
        )
        session = shelf.new(
            root=site.tree,
            cwd=site.tree,
            provider=critic.provider.NAME,
            sandboxed=sandbox is not None,
            read_only=True,
        )
        opinion = without_secrets(await Reviewer(place, shelf, session, stop, tell).opinion(occasion), work.environment)
    # Whatever it did to the files, it is not what the next step finds.
    await site.reset_to(changes.tree, base=base)
    review = Kept(
        what=occasion.what,
        base=base,
        verdict=opinion.verdict,
        summary=opinion.summary,
        findings=opinion.findings,
        left_out=list(shown.left_out),
        provider=critic.provider.NAME,
        model=critic.model,
        session=session.id,
        at=now(),
    )
    result = second_opinion.result_of(review, seconds=time.monotonic() - began)
    work.tell(told.CheckFinished(key=key, result=result))
    return result
