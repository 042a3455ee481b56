"""What departments of an organisation do with its issuer: offers, revocations, keys of the daemon."""
