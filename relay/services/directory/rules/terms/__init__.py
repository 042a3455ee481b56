"""Terms of entries, the authenticated index over them, and proofs that a search left nothing out (docs/spec/directory-terms.md)."""
