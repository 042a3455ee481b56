"""A node's home made, backed up, restarted, rolled back."""
