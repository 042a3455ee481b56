"""The versions of the hub's rules, one a round of changes to consensus: what each changes, and which ones this code executes.

A version never changes once it is released. A block has the version that the state before it decides (governance/schedule.py),
so code of consensus asks `frame.rules_version >= NAME` where a rule differs. docs/spec/hub-rules.md lists the differences.
"""

FIRST = 1
SETTLES_WHILE_PAUSED = 2
"""A pause lets acknowledgements and timeouts through: they pay back what is held."""
BOUNDED_EXECUTION = 3
"""Work is priced by what it costs in time and memory, named accounts alone run code, quotas are shared out, a block that no
node can execute is skipped."""
RECORDS = 4
"""Native modules keep records of other chains' state (docs/spec/records.md)."""
IDENTITY = 5
"""Organisations keep their identity records (docs/spec/identity-records.md)."""
SM2_KEYS = 6
"""Organisations may have keys of SM2 (docs/spec/identity-records.md, keys)."""
STORAGE = 7
"""Trusted storage: operators, batches, audits and removals (docs/spec/storage-calls.md)."""
DIRECTORY = 8
"""The data directory: publishers, entries, the log of operations and heads of facets (docs/spec/directory-calls.md)."""

NEWEST = DIRECTORY
ALL = (FIRST, SETTLES_WHILE_PAUSED, BOUNDED_EXECUTION, RECORDS, IDENTITY, SM2_KEYS, STORAGE, DIRECTORY)
