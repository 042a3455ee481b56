"""What the ledger holds, as values."""
