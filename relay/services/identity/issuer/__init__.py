"""The issuer: offers, tokens and credentials of OpenID4VCI, and what of them stands on the hub."""
