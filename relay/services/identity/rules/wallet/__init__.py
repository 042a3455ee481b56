"""What a wallet may believe: links, offers, an issuer's metadata and answers, credentials that it receives, requests."""
