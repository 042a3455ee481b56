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

NEWEST = BOUNDED_EXECUTION
ALL = (FIRST, SETTLES_WHILE_PAUSED, BOUNDED_EXECUTION)
