"""Joining a running hub: headers followed by a light client, then a snapshot, then blocks."""
