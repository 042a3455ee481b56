"""`hutong storage`: objects over many operators, and the operators themselves."""
