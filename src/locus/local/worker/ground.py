"""The tree of one attempt: set up before the agent, and put in order again before every check."""

from collections.abc import Collection
from pathlib import PurePosixPath

from locus.local.git.ignored import Ignored, drop_bytecode, look, tampered
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.outcome import Ended
from locus.local.worker.set_up import set_up
from locus.wire.work import FailReason


class Ground:
    """What a set-up made of the tree, so that it can be told whether an agent has changed it."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._installed: Ignored | None = None

    async def set_up(self) -> None:
        """Run the project's set-up commands in the tree. Raises Ended, Stopped, GitError."""
        attempt = self._attempt
        wrong = await attempt.unless_stopped(
            set_up(
                attempt.work,
                attempt.site,
                marker=attempt.marker,
                begins=lambda command: attempt.work.tell(told.Preparing(key=attempt.key, command=command)),
            )
        )
        if wrong is not None:
            raise Ended(FailReason.SETUP_FAILED, wrong)
        self._installed = await look(attempt.site.worktree)

    async def settle(self, tree: str, *, base: str, paths: Collection[str]) -> None:
        """Make the files those of the object `tree`; `paths` is what the change on top of `base` touches.

        Ignored files stay, unless installed ones were changed or the change decides what is ignored: then the tree is
        set up anew, since a check must not pass by what no commit holds. Raises Ended, Stopped, LocalError, GitError.
        """
        attempt = self._attempt
        site, installed = attempt.site, self._installed
        await site.reset_to(tree, base=base)
        if installed is None or site.checkout is not None:
            return  # the user's own checkout has files that nobody could make again
        now = await look(site.worktree)
        why = tampered(installed, now)
        if not why and any(PurePosixPath(path).name == ".gitignore" for path in paths):
            why = [".gitignore"]
        if why:
            attempt.work.tell(told.Note(text=f"{attempt.key}: {why[0]} was changed, so the tree is set up anew."))
            await site.reset_to(tree, base=base, keep_ignored=False)
            await self.set_up()
            await site.reset_to(tree, base=base)  # what the set-up wrote beside ignored files is nobody's work
        else:
            await drop_bytecode(site.worktree, installed, now)
