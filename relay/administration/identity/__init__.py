"""What organisations do with their identity on a hub, and what anybody reads of it."""
