"""Planning: a goal becomes a proposed sprint, checked by us before anybody sees it."""
