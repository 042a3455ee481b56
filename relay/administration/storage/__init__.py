"""Trusted storage as a hub tells of it, for the commands, and its auditors (docs/storage/auditor.md)."""
