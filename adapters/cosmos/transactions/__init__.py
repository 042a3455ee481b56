"""Transactions of a Cosmos account as values: addresses, messages, fees, signatures."""
