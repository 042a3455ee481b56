"""What an admin does on an EVM chain: deploy, hand out rights, decide after delays, recover, set limits."""
