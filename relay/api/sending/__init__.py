"""Transactions to sign, prepared for a user's own wallet, and signed ones passed on."""
