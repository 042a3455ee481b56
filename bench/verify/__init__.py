"""Verifiers beside peers: what one verdict costs."""
