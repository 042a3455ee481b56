"""Snapshots of the hub's state, format 1 (docs/spec/hub-snapshot.md): how they are made, checked and restored."""
