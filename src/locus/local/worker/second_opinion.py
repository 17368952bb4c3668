"""The review that a project asks for of each task: by an agent that did not write the change, as evidence like a check.

It is made of exactly the tree that is committed, when all checks are green on it. What it says goes back to the task's
agent as the output of a red check does; what is kept of it on the server is its hash.
"""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from locus.local.context import documents
from locus.local.evidence.checks import CheckResult
from locus.local.git import hunks
from locus.local.git.changes import Changes
from locus.local.project import REVIEW, Check
from locus.local.review import text
from locus.local.review.answer import schema
from locus.local.review.ask import NoReview, opinion_of
from locus.local.review.kept import Kept, now, without_secrets
from locus.local.review.material import material
from locus.local.review.prompt import Occasion
from locus.local.sandbox import Sandbox, opened
from locus.local.sessions.answer import Repair
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.conversation import Conversation, Part
from locus.local.worker.outcome import Ended
from locus.local.worker.site import Site
from locus.local.worker.walls import ground
from locus.local.worker.workplace import Critic, Workplace
from locus.wire.work import FailReason

CHECK = Check(name=REVIEW, run="a review of your change by somebody else")


class SecondOpinion:
    """The reviews of one attempt: one for each tree, by whoever reviews for this run."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._made: dict[tuple[str, str], CheckResult] = {}

    @property
    def wanted(self) -> bool:
        """Whether the user's checkout asks for it; what the branch says does not count."""
        return self._attempt.work.project.review_required

    async def of(self, changes: Changes, *, base: str) -> CheckResult:
        """Have the change of `base` to `changes` reviewed. Raises Ended, Stopped, LocalError, GitError."""
        attempt = self._attempt
        known = self._made.get((base, changes.tree))
        if known is not None:
            return known
        attempt.work.tell(told.CheckStarted(key=attempt.key, check=CHECK))
        began = time.monotonic()
        review = await self._review(changes, base=base)
        # Whatever it did to the files, it is not what the next step finds.
        await attempt.site.reset_to(changes.tree, base=base)
        result = result_of(review, seconds=time.monotonic() - began)
        attempt.work.tell(told.CheckFinished(key=attempt.key, result=result))
        self._made[base, changes.tree] = result
        return result

    async def _review(self, changes: Changes, *, base: str) -> Kept:
        attempt, task = self._attempt, self._attempt.snapshot.task
        critic = attempt.work.critic or Critic(attempt.work.provider, attempt.work.options.model)
        await attempt.site.reset_to(changes.tree, base=base)
        files = await hunks.between(attempt.site.git, base, changes.tree)
        shown = material(files, tokens=attempt.work.project.review_tokens)
        occasion = Occasion(
            what=f"the change of {task.key}",
            material=shown,
            title=task.title,
            description="\n\n".join([task.description, *(f"- {item.text}" for item in task.checklist)]),
            # Of the user's checkout, not of the tree: what is reviewed does not say how to review it.
            instructions=documents.instructions(attempt.work.checkout.root),
        )
        async with walls(attempt.work, attempt.site, critic) as sandbox:
            part = Part(REVIEW, critic.provider, critic.model, sandbox, schema())
            talk = Conversation(attempt, part)

            first = ""

            async def ask(prompt: str) -> str:
                nonlocal first
                if first:
                    await talk.go_on(prompt, from_scratch=first)
                else:
                    first = prompt
                    await talk.begin(prompt)
                return talk.answer

            try:
                opinion = await opinion_of(ask, occasion, who=critic.provider.NAME, tell=self._tell)
            except NoReview as e:
                raise Ended(FailReason.AGENT_FAILED, str(e)) from e
        opinion = without_secrets(opinion, attempt.work.environment)
        return Kept(
            what=occasion.what,
            base=base,
            verdict=opinion.verdict,
            summary=opinion.summary,
            findings=opinion.findings,
            left_out=list(shown.left_out),
            provider=critic.provider.NAME,
            model=critic.model,
            session=talk.session.id if talk.session else "",
            at=now(),
        )

    def _tell(self, repair: Repair) -> None:
        self._attempt.work.tell(
            told.Note(
                text=f"{self._attempt.key}: the review has {len(repair.faults)} faults; asking again ({repair.again} of"
                f" {repair.asks})."
            )
        )


def result_of(review: Kept, *, seconds: float) -> CheckResult:
    """A review as the result of a check: its text is the output, and what it objects to the fault."""
    said = text.document(review)
    return CheckResult(
        check=CHECK,
        exit_code=0,
        duration_ms=int(seconds * 1000),
        tests=None,
        output=said,
        output_sha256=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest(),
        fault=review.objection,
    )


@asynccontextmanager
async def walls(work: Workplace, site: Site, critic: Critic) -> AsyncIterator[Sandbox | None]:
    """A sandbox around the reviewer, in which the tree cannot be written."""
    if work.policy is None:
        yield None  # its tree is put in order again, and what is committed was read before
        return
    place = replace(ground(work, site.clone), fixed=True, private=site.clone.place / "review")
    needs = critic.provider.needs(work.environment)

    def tell(said: str) -> None:
        work.tell(told.Note(text=said))

    async with opened(work.policy, place, needs, work.environment, tell=tell) as sandbox:
        yield sandbox
