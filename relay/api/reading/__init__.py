"""What the API answers from: the ledger, the chains, and figures over them."""
