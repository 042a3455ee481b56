"""Records of other chains' state: the module that writes them, who may, and the epochs of clients (docs/spec/records.md)."""
