"""Search engines of the directory: one interface, engines that stand for one another, indexes that are replaced whole (docs/directory/search.md)."""
