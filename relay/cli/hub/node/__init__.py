"""Commands about one node of a hub: its home, its process, its key and its disk."""
