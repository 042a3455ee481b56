"""Which chains, clients and paths there are."""
