"""Proof bundles of what was relayed: written, appended, anchored."""
