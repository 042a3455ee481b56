"""Records of storage in the hub's state: keys and values, and the file that shows an audit offline (docs/spec/storage-records.md)."""
