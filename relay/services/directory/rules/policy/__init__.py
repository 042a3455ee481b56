"""The closed ODRL profile `urn:hutong:odrl:1`: read, decided three-valued, and compared (docs/spec/directory-policy.md)."""
