"""Cases with credentials, and what they have in common: organisations, seals, licences."""
