"""Persons: a tree of a registrar's people, of which the hub keeps one root. What may be believed of a person stands here, pure."""
