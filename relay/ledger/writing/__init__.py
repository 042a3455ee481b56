"""How the ledger is written: journal, rows, pairing, retention."""
