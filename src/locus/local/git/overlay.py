"""A tree put together from two: that of a base, with some files as a change has them."""

import os
from collections.abc import Collection

from locus.local.git.runner import Git


async def overlay(git: Git, base: str, tree: str, paths: Collection[str]) -> str:
    """Write the tree of `base` in which `paths` are as in `tree`, or gone as there; returns its id. Raises GitError."""
    index = git.directory / "overlay-index"
    index.unlink(missing_ok=True)
    try:
        await git.local("read-tree", base, index=index)
        listed = (await git.local("ls-tree", "-r", "-z", "--full-tree", tree)).stdout.split(b"\0")[:-1]
        wanted = {os.fsencode(path) for path in paths}
        there: dict[bytes, bytes] = {}
        for row in listed:
            meta, _, path = row.partition(b"\t")
            if path in wanted:
                mode, _, sha = meta.split(b" ")
                there[path] = mode + b" " + sha + b"\t" + path + b"\0"
        zeros = b"0" * len((await git.text("rev-parse", "--verify", f"{base}^{{tree}}")).encode())
        # Removals first: a file may have made way for a folder of its name.
        gone = [b"0 " + zeros + b"\t" + path + b"\0" for path in sorted(wanted)]
        await git.local(
            "update-index",
            "-z",
            "--index-info",
            index=index,
            stdin=b"".join([*gone, *(there[p] for p in sorted(there))]),
        )
        return await git.text("write-tree", index=index)
    finally:
        index.unlink(missing_ok=True)
