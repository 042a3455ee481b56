"""Identity records: the module that writes them, who may, and what governance says of it (docs/spec/identity-records.md)."""
