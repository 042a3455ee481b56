"""The hub's validators as peers: mutual TLS with pinned node keys, gossip, catch-up."""
