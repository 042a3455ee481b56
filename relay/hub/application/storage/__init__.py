"""Records of trusted storage: the module that writes them, and what governance says of it (docs/spec/storage-calls.md)."""
