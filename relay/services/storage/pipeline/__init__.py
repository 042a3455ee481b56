"""Packs made by processes that share memory: sealed, coded, masked and hashed where they lie (docs/spec/storage-pack.md)."""
