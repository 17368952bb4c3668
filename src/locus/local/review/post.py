"""Gets a review to the forge: one review, once for each head commit, and never a judgement of one's own work."""

from msgspec import Struct

from locus.local.forge.base import ForgeError, Reason
from locus.local.forge.reviews import Posted, Pull, Reviews
from locus.local.review import text
from locus.local.review.answer import Verdict
from locus.local.review.kept import Kept

EVENTS = {
    Verdict.APPROVE: "APPROVE",
    Verdict.COMMENT: "COMMENT",
    Verdict.REQUEST_CHANGES: "REQUEST_CHANGES",
}


class Poster(Struct, frozen=True):
    """Who posts. `account` is None when the forge does not say whose the token is."""

    forge: Reviews
    account: str | None

    async def is_own(self, pull: Pull) -> bool:
        """Whether a pull request is of the same account or has work of it, or may have. Raises ForgeError."""
        if self.account is None:
            return True
        us = self.account.casefold()
        return us == pull.author.casefold() or us in {one.casefold() for one in await self.forge.authors(pull.number)}

    async def posted(self, pull: Pull, head: str) -> Posted | None:
        """The review of this commit that was posted before, from whichever machine."""
        return await self.forge.written(pull.number, text.mark(head), self.account)

    async def post(self, review: Kept, pull: Pull, *, again: bool = False) -> None:
        """Post a review and write into it what became of it. One of the same commit that is there is not posted again,
        unless it was made `again`. Raises ForgeError.
        """
        assert review.head is not None, "a pull request has a head"
        if not again and (there := await self.posted(pull, review.head)) is not None:
            review.url = there.url  # an answer that was lost, or another machine
            return
        own = await self.is_own(pull)
        event = "COMMENT" if own else EVENTS[review.verdict]
        try:
            review.url = await self._write(review, pull, event, own=own, beside=True)
        except ForgeError as e:
            if e.reason is not Reason.INVALID:
                raise
            # A line that the forge does not show, or a judgement that it does not allow: then as words alone.
            event = "COMMENT"
            review.url = await self._alone(review, pull, own=own)
        review.event = event

    async def _alone(self, review: Kept, pull: Pull, *, own: bool) -> str:
        try:
            return await self._write(review, pull, "COMMENT", own=own, beside=False)
        except ForgeError as e:
            if e.reason is not Reason.INVALID or (await self.forge.pull(pull.number)).head == review.head:
                raise
            raise ForgeError(
                f"Another commit took the place of {(review.head or '')[:7]} meanwhile.",
                reason=Reason.INVALID,
                remedy=f"Have the new one reviewed: locus review {pull.number}",
            ) from e

    async def _write(self, review: Kept, pull: Pull, event: str, *, own: bool, beside: bool) -> str:
        return await self.forge.write(
            pull.number,
            review.head or "",
            event=event,
            body=text.body(review, own=own, beside=beside),
            remarks=text.remarks(review) if beside else [],
        )
