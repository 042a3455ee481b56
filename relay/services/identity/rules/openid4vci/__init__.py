"""OpenID for Verifiable Credential Issuance: what an issuer says of itself, and what it may believe of a wallet."""
