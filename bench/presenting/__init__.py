"""Benches of presentations of credentials."""
