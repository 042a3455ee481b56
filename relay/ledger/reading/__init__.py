"""Queries: packets, messages, figures, and why something waits."""
