"""The attestor: one key that signs what one chain without provable consensus finally holds (docs/attested-chains.md)."""
