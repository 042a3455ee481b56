"""Keys and values of identity records (docs/spec/identity-records.md): one encoding of each, every other one refused."""
