"""What happened to each packet, as the ledger keeps it and operators ask for it."""
