"""Commands that act on chains: contracts, paths, clients, roles, tokens."""
