"""Taking credentials from an issuer: who vouches for the wallet, how keys are proven, requests, and what comes later."""
