"""Everything Locus does with git; nothing else calls it.

Read in this order: `checkout` (what we learn of the user's repository, read-only), `clone` (our own git-dir and tree),
`worktree` (a clean tree for the agent, and what it changed), `commit`, `publish`. `in_place` is the other way to work.
"""
