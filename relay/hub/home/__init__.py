"""A node's home: its files and keys, its lock, and what a process on it must have."""
