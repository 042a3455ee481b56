"""The hub: messages, growth, joining, pruning, and what its machine costs."""
