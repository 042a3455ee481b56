"""The EVM on the hub: its rules by version, its prices, and what may be pruned."""
