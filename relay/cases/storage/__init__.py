"""Cases whose files lie in trusted storage, over operators that a city starts for them."""
