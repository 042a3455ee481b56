"""What writers, readers and operators say to each other over HTTP, as both ends read and write it (docs/spec/storage-operator-api.md)."""
