"""Which task of a pull request something was said about."""

from msgspec.structs import replace

from locus.local.forge.threads import Thread
from locus.local.git.history import Commit, standing
from locus.local.review.place import Looked
from locus.local.worker.criticism import Criticism


async def by_task(
    looked: Looked, commits: list[Commit], criticism: Criticism, only: str | None
) -> dict[str, Criticism]:
    """What was said, by the task whose commit wrote the line; what is about no line is for the newest task."""
    keys = list(dict.fromkeys(one.task for one in commits if one.task and standing(commits, one.task)))
    if not keys:
        return {}
    general = only if only in keys else keys[-1]
    tasks = {one.sha: one.task for one in commits}
    threads: dict[str, list[Thread]] = {}
    for thread in criticism.threads:
        key = tasks.get(await _wrote(looked, thread) or "") or general
        threads.setdefault(key if key in keys else general, []).append(thread)
    parts = {key: Criticism(threads=tuple(found)) for key, found in threads.items()}
    if criticism.remarks or criticism.failing:
        own = parts.get(general, Criticism())
        parts[general] = replace(own, remarks=criticism.remarks, failing=criticism.failing)
    return {key: parts[key] for key in keys if key in parts and (only is None or key == only)}


async def _wrote(looked: Looked, thread: Thread) -> str | None:
    """The commit that wrote the line that a thread is about; None for lines that are in no file of the branch."""
    if thread.line is None or thread.removed:
        return None
    where = f"{thread.line:d},{thread.line:d}"
    said = await looked.clone.git.local(
        "blame", "--porcelain", "-L", where, looked.head, "--", thread.path, accept=(0, 128)
    )
    return said.stdout.decode(errors="replace").partition(" ")[0] or None
