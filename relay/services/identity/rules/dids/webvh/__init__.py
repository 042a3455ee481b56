"""did:webvh 1.0 (github.com/decentralized-identity/didwebvh, spec-v1.0), judged from the bytes of its log: no network here."""
