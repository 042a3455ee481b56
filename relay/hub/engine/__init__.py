"""The engine that drives consensus on one node: signer, log, blocks of others."""
