"""What a Cosmos chain says: events, transactions, state with proofs."""
