"""A commit of this task that is on the branch already: pushed by an attempt whose lease ended before it could report.

It is proved again, since nobody heard of the proof, and then reported by this attempt. No agent does it a second time.
"""

from collections.abc import Callable, Sequence

from locus.local.evidence.checks import CheckResult
from locus.local.git.changes import between
from locus.local.git.history import Commit, history, standing
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.proof import Proof
from locus.wire.tasks import CommentKind


async def unreported(attempt: Attempt) -> Commit | None:
    """The newest commit of the attempt's task on the branch, unless the server has heard of it or it was undone.

    Raises GitError.
    """
    fetched, task = attempt.site.fetched, attempt.snapshot.task
    if fetched is None or fetched.head is None:
        return None
    ours = standing(await history(attempt.site.git, fetched.base, fetched.head), task.key)
    if not ours or ours[-1].sha == task.commit:
        return None
    newest = ours[-1]
    if len(newest.parents) != 1 or newest.attempt is None or newest.attempt >= attempt.lease.fence:
        return None  # no worker of ours made it, or none that has ended
    if task.commit is None and any(comment.kind is CommentKind.REJECTION for comment in attempt.snapshot.comments):
        return None  # a person has judged the work since, and taken it off the task
    return newest


async def adopt(
    attempt: Attempt, proof: Proof, announce: Callable[[str, str], None]
) -> str | Sequence[CheckResult] | None:
    """Prove such a commit and return its id; the red checks when it is not green; None when there is none.

    `announce` writes down the proved commit and its base. Raises Ended, Stopped, LocalError, GitError.
    """
    found = await unreported(attempt)
    if found is None:
        return None
    site, key = attempt.site, attempt.key
    attempt.work.tell(
        told.Note(
            text=f"{key} was pushed by attempt {found.attempt} as {found.short}, which could not report it any more."
            " It is checked again."
        )
    )
    base = found.parents[0]
    changes = await between(site.git, base, f"{found.sha}^{{tree}}")
    red = await proof.of(changes, base=base)
    if red:
        return red
    attempt.spending.count(changes)
    attempt.be_sure_of_the_lease()
    announce(base, found.sha)
    attempt.work.tell(told.Pushed(key=key, commit=found.sha, branch=site.branch, rebased=False))
    return found.sha
