"""The native module of the data directory (docs/spec/directory-calls.md)."""
