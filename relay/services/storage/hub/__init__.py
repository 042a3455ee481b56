"""The hub's module of storage, as every daemon of storage reaches it."""
