"""What may be believed of a credential. Pure: time, trusted keys and randomness come in as arguments."""
