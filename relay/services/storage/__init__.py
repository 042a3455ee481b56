"""Trusted storage: packs coded over operators, audited from the hub (docs/spec/storage-pack.md)."""
