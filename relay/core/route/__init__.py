"""One route from chain to chain: jobs taken, batched, simulated, paid for, and tried again."""
