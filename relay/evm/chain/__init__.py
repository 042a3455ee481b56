"""Blocks, logs, heads and the pool of a chain that runs the EVM."""
