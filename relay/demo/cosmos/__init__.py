"""`hutong demo --cosmos`: a stock ibc-go chain, the hub, and an EVM chain."""
