"""What is signed about shards, when they may be removed, and what shows that one was repaired (docs/spec/storage-lifecycle.md)."""
