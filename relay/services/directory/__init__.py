"""The data directory and the sharing of data: entries on record, agreements that bind an offer (docs/spec/directory.md)."""
