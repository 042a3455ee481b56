"""The token registry: what a token is called on every chain where it was seen."""
