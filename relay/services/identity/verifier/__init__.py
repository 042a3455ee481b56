"""The verifier: asks wallets for credentials by OpenID4VP 1.0 and HAIP, judges each answer once, and says what was shown."""
