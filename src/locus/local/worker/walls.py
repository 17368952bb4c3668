"""The sandbox of one worker: what of this repository shows in it, and what never does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from locus.local.directories import directories
from locus.local.git import throwaway
from locus.local.git.clone import PrivateClone
from locus.local.git.lenders import lenders
from locus.local.sandbox import Ground, Sandbox, opened
from locus.local.worker import told
from locus.local.worker.workplace import Workplace


@asynccontextmanager
async def walls(work: Workplace, clone: PrivateClone) -> AsyncIterator[Sandbox | None]:
    """The sandbox for a clone's tree until the end of the block; None when the user has switched it off.

    Raises LocalError.
    """
    if work.policy is None:
        yield None
        return
    needs = work.provider.needs(work.environment)

    def tell(text: str) -> None:
        work.tell(told.Note(text=text))

    async with opened(work.policy, ground(work, clone), needs, work.environment, tell=tell) as sandbox:
        yield sandbox


def ground(work: Workplace, clone: PrivateClone) -> Ground:
    """The place of a worker, with what git needs there: the objects that the tree's `.git` borrows."""
    checkout, tree = work.checkout, clone.worktree.root
    ours = directories(work.environment)
    private = clone.place / "sandbox"
    hidden = (work.state, ours.config, ours.state, ours.data, checkout.root, checkout.git_dir, checkout.common_dir)
    if tree != checkout.root:
        return Ground(tree=tree, private=private, read=lenders(clone.objects), hidden=hidden)
    # In place: the user's own `.git`, which cannot be written there, and without its settings, which may hold tokens.
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = private / "git-config"
    settings.write_text(throwaway.config(checkout.identity, checkout.object_format, checkout.form))
    shown = tuple(dict.fromkeys((checkout.git_dir, checkout.common_dir)))
    instead = [(folder / "config", settings) for folder in shown if (folder / "config").exists()]
    instead += [(folder / "config.worktree", settings) for folder in shown if (folder / "config.worktree").exists()]
    link = tree / ".git"
    return Ground(
        tree=tree,
        private=private,
        read=(*((link,) if link.is_file() else ()), *shown, *lenders(checkout.objects)[1:]),
        instead=tuple(instead),
        hidden=tuple(path for path in hidden if path not in (checkout.root, *shown)),
    )
