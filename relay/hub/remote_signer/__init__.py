"""A validator's key in a process of its own, which keeps the last-signed record and refuses what would contradict it."""
