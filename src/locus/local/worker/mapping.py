"""What a task's prompt says of the repository: its folders, and the map of what is near the task."""

from locus.local.codemap.listing import without_ignored
from locus.local.codemap.told import told
from locus.local.context.index import codebase_map
from locus.local.context.prompt import subject
from locus.local.errors import LocalError
from locus.local.worker.attempt import Attempt
from locus.local.worker.told import Note

FOLDERS = 1_500  # characters that the folders may take beside a map


async def repository(attempt: Attempt) -> str:
    """The repository as the tree has it that the agent will work in. Raises GitError."""
    work, site = attempt.work, attempt.site
    paths = await site.files()

    def trouble(text: str) -> None:
        work.tell(Note(text=f"{attempt.key}: {text}"))

    try:
        shown = without_ignored(site.tree, paths)
    except LocalError as e:
        trouble(f"This prompt has no map of the repository: {e.message}")
        return codebase_map(paths, limit=FOLDERS)
    near = await told(
        work.folder.index, site.tree, shown, subject(attempt.snapshot), work.options.codemap, trouble=trouble
    )
    return f"{codebase_map(paths, limit=FOLDERS)}\n\n{near}" if near else codebase_map(paths)
