"""Records of the directory on a hub: keys and values (docs/spec/directory-records.md)."""
