"""Having changes reviewed: which, by whom, what is remembered of it, and where the review goes."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from locus.cli.beside import voice
from locus.cli.beside.reply import remedy, why
from locus.cli.beside.stage import Stage
from locus.cli.output import Output
from locus.cli.places import remote_of, state
from locus.local import artifacts
from locus.local.context.documents import instructions
from locus.local.errors import LocalError
from locus.local.forge.base import Forge, ForgeError, PullRequest
from locus.local.forge.reviews import Pull, reviews_of
from locus.local.forge.table import Choice, forge_for
from locus.local.git import checkout, hunks, remote
from locus.local.git.checkout import Checkout
from locus.local.git.clone import PrivateClone
from locus.local.providers.base import Ending, Event
from locus.local.review import place, text
from locus.local.review.answer import Opinion, Verdict
from locus.local.review.ask import Reviewer
from locus.local.review.kept import Kept, Reviews, now, without_secrets
from locus.local.review.material import Material, material
from locus.local.review.place import Looked, Subject
from locus.local.review.post import Poster
from locus.local.review.prompt import Occasion
from locus.local.sessions.answer import AgentEnded, Repair
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session

OURS = "locus/sprint-"  # what the branches begin with that Locus makes
ENTERPRISE = "If it is a GitHub Enterprise Server, say so: locus config set forge github"


class Already(Struct, frozen=True):
    """A commit that was reviewed before. `verdict` is null where only an older Locus posted it."""

    what: str
    head: str
    url: str | None
    verdict: Verdict | None


class Failure(Struct, frozen=True):
    """One of several reviews or follow-ups that came to nothing."""

    what: str
    why: str


class Outcome(Struct):
    """What `locus review --json` says."""

    reviews: list[Kept] = field(default_factory=list)
    already: list[Already] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    usd: float = 0.0


class Reviewing(Struct, frozen=True, kw_only=True):
    """One call of `locus review`. `made` is told each review as soon as it is where it belongs."""

    stage: Stage
    out: Output
    stop: asyncio.Event
    tokens: int
    made: Callable[[Kept], None]
    again: bool = False
    post: bool = True
    outcome: Outcome = field(default_factory=Outcome)

    # ---- changes that are in no commit

    async def local(self, *, staged: bool) -> None:
        """Review what the checkout has on top of its last commit. Raises LocalError."""
        root = self.stage.root
        what = "staged changes" if staged else "uncommitted changes"
        files = await hunks.uncommitted(root, os.environ, staged=staged, leave_out=str(artifacts.FOLDER))
        if not files:
            voice.print_beside(self.out, f"There are no {what}, so there is nothing to review.")
            return
        shown = material(files, tokens=self.tokens)
        occasion = Occasion(what=what, material=shown, instructions=instructions(root))
        async with self.stage.desk(self._note) as desk:
            review = await self._ask(desk, occasion)
        name = f"review-local-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        self._write(review, name)
        self._done(review)

    # ---- branches and pull requests

    async def remote(self, target: str | None) -> None:
        """Review a pull request or a branch; without a target, every open one that Locus made. Raises LocalError."""
        found = await checkout.find(self.stage.root, os.environ, remote=remote_of(self.stage.settings))
        choice = Choice(self.stage.settings.forge, self.stage.settings.forge_api)
        forge = await forge_for(found.remote, os.environ, state() / "pull-requests", choice=choice)
        subjects = await self._subjects(found, forge, target)
        if not subjects:
            voice.print_beside(self.out, "Nothing that Locus made waits for a review.")
        for subject, pull in subjects:
            what = f"pull request {pull.number}" if pull else subject.branch
            try:
                await self._one(found, forge, what, subject, pull)
            except LocalError as e:
                if len(subjects) == 1 or self.stop.is_set():
                    raise
                self.outcome.failed.append(Failure(what, str(e)))

    async def _subjects(self, found: Checkout, forge: Forge, target: str | None) -> list[tuple[Subject, Pull | None]]:
        hosted = reviews_of(forge)
        number = int(target) if target is not None and target.isdigit() else None
        if hosted is None:
            if number is not None:
                raise LocalError(
                    f"{found.remote.name} is on no forge that Locus knows, so there is no pull request {number}.",
                    remedy=f"Name a branch: locus review {OURS}1\n{ENTERPRISE}",
                )
            return [(Subject(self.stage.settings.base, branch), None) for branch in await self._branches(found, target)]
        if target is not None and number is None:
            pull = await self._asked_for(forge, target)
            if pull is None or pull.number is None:
                return [(Subject(self.stage.settings.base, target), None)]
            number = pull.number
        pulls = [await hosted.pull(number)] if number is not None else await hosted.opened()
        if number is not None and not pulls[0].open:
            raise LocalError(f"Pull request {number} is closed, so there is nothing to review.")
        wanted = [pull for pull in pulls if number is not None or (pull.own and pull.branch.startswith(OURS))]
        return [(Subject(pull.base, pull.branch, None if pull.own else pull.number), pull) for pull in wanted]

    async def _asked_for(self, forge: Forge, branch: str) -> PullRequest | None:
        """The pull request of a branch. One that is read into a file alone can do without the forge."""
        try:
            return await forge.find(branch)
        except ForgeError as e:
            if self.post:
                raise
            self._note(f"{e.message} {branch} is reviewed without what its pull request says.")
            return None

    async def _branches(self, found: Checkout, target: str | None) -> list[str]:
        if target is not None:
            return [target]
        clone = await PrivateClone.open(found, state())
        try:
            return sorted(await remote.branches_below(clone.git, found.remote.push_url, OURS))
        finally:
            clone.close()

    async def _one(self, found: Checkout, forge: Forge, what: str, subject: Subject, pull: Pull | None) -> None:
        hosted, reviews = reviews_of(forge), Reviews(self.stage.folder)
        poster = Poster(hosted, await hosted.account()) if hosted and pull and self.post else None
        if pull is not None and not self.again:
            review = reviews.find(subject.branch, pull.head)
            if review is not None and (review.url is not None or poster is None):
                self.outcome.already.append(Already(what, pull.head, review.url, review.verdict))
                return
            if review is not None and poster is not None:  # what it said was not posted
                await self._post(poster, review, pull, reviews)
                self._done(review)
                return
            if poster is not None and (there := await poster.posted(pull, pull.head)) is not None:
                self.outcome.already.append(Already(what, pull.head, there.url, text.verdict_in(there.text)))
                return
        async with place.fetched(found, state(), subject) as looked:
            if not self.again and (pull is None or looked.head != pull.head):
                earlier = reviews.find(subject.branch, looked.head)
                if earlier is not None and (pull is None or earlier.url is not None):
                    self.outcome.already.append(Already(what, looked.head, earlier.url, earlier.verdict))
                    return
            review = await self._look(looked, what, pull)
        if review is None:
            return
        review.branch, review.number = subject.branch, pull.number if pull else None
        reviews.save(review)
        if poster is not None and pull is not None:
            await self._post(poster, review, pull, reviews)
        else:
            name = f"review-{subject.branch.replace('/', '-')}-{looked.head[:7]}"
            self._write(review, "".join(c if c.isalnum() or c in "-_." else "-" for c in name))
            reviews.save(review)
        self._done(review)

    async def _look(self, looked: Looked, what: str, pull: Pull | None) -> Kept | None:
        if not looked.files:
            voice.print_beside(self.out, f"{what[0].upper()}{what[1:]} changes nothing, so there is nothing to review.")
            return None
        # The instructions are those of the user's checkout: what is reviewed does not say how to review it.
        occasion = Occasion(
            what=what,
            material=material(looked.files, tokens=self.tokens),
            title=pull.title if pull else "",
            description=pull.body if pull else "",
            instructions=instructions(self.stage.root),
        )
        tree = looked.clone.worktree.root
        stage = self.stage
        around = place.walls(stage.provider, stage.policy, looked.clone, state(), os.environ, tell=self._note)
        async with around as sandbox:
            review = await self._ask(stage.desk_at(tree, sandbox), occasion)
        review.head, review.base = looked.head, looked.base
        return review

    # ---- asking, keeping, telling

    def _done(self, review: Kept) -> None:
        self.outcome.reviews.append(review)
        self.made(review)

    def _left(self) -> float | None:
        """What this call may still cost, in US dollars. Raises LocalError when that is nothing."""
        most = self.stage.wish.max_usd
        if most is None or (left := most - self.outcome.usd) > 0:
            return None if most is None else left
        raise LocalError(f"The reviews before it took all of the {most:g} $ that this call may cost (--max-usd).")

    async def _ask(self, desk: Desk, occasion: Occasion) -> Kept:
        desk = replace(desk, max_usd=self._left())
        session = self.stage.session()
        self._note(f"{session.provider} reviews {occasion.what} ({_size(occasion.material)}) and can change nothing.")
        reviewer = Reviewer(desk, self.stage.shelf, session, self.stop, self._tell)
        with self.stage.shelf.using(session):
            try:
                opinion = await reviewer.opinion(occasion)
            except AgentEnded as e:
                if e.finished.ending is Ending.STOPPED:
                    raise KeyboardInterrupt from e
                raise LocalError(why(e.finished), remedy=remedy(e.finished, session.provider)) from e
            finally:
                self.outcome.usd += session.used.usd or 0.0
        return kept(opinion, occasion, session)

    async def _post(self, poster: Poster, review: Kept, pull: Pull, reviews: Reviews) -> None:
        try:
            await poster.post(review, pull, again=self.again)
        except LocalError as e:
            raise LocalError(
                f"The review is made, and could not be posted. {e.message}",
                remedy=f"Post it without asking again: locus review {pull.number}",
            ) from e
        reviews.save(review)

    def _write(self, review: Kept, name: str) -> None:
        path = artifacts.write(self.stage.root, name, text.document(review))
        review.artifact = str(path.relative_to(self.stage.root))

    def _note(self, said: str) -> None:
        voice.print_beside(self.out, said)

    def _tell(self, event: Event | Repair) -> None:
        voice.print_progress(self.out, "review", event)


def kept(opinion: Opinion, occasion: Occasion, session: Session) -> Kept:
    """What is kept of an opinion: without secrets that the reviewer may have quoted."""
    opinion = without_secrets(opinion, os.environ)
    used = session.used
    return Kept(
        what=occasion.what,
        verdict=opinion.verdict,
        summary=opinion.summary,
        findings=opinion.findings,
        left_out=list(occasion.material.left_out),
        provider=session.provider,
        model=session.model,
        session=session.id,
        at=now(),
        tokens=used.input_tokens + used.output_tokens,
        usd=used.usd,
    )


def _size(shown: Material) -> str:
    files = len(shown.shown)
    left = f", {len(shown.left_out)} not or not wholly shown" if shown.left_out else ""
    return f"{files} file{'s' * (files != 1)}, about {shown.tokens:,} tokens{left}"
