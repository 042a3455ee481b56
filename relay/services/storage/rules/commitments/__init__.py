"""What an operator has to hold: entries of shards, batches of entries, and the log of batches (docs/spec/storage-sets.md)."""
