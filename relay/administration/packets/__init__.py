"""Packets of a relay as its operator looks at them: in the ledger, on the chains, among the dead letters."""
