"""The log of all operations: what may follow, pages of a facet, and what they say together (docs/spec/directory-log.md)."""
