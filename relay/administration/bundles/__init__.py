"""Proof bundles, record bundles and checkpoints for auditors, and the root of their archive on a hub."""
