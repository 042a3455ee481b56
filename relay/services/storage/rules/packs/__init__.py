"""Packs: how a body is laid out, cut in shards, masked and committed to (docs/spec/storage-pack.md)."""
