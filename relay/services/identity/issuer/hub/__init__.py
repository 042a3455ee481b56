"""What of an issuer stands on a hub: how it is read and written, and kept as the issuer decided."""
