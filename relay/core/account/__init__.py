"""Sending accounts: their nonces, what they have under way, what they may spend."""
