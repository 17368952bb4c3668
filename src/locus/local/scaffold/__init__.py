"""The first files of a repository that works with Locus: what `locus init` finds out and writes."""
